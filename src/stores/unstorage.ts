/**
 * Any of unstorage's drivers: files, Redis, key-value stores of clouds, and so on.
 *
 * No driver has a conditional write. The store therefore says `atomic: false`: requests of one process never lose each
 * other's changes, two processes that write the same session at the same moment can.
 */
import type { StoredRecord } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { type GatewayOptions, GatewayStore } from './gateway/gateway-store.ts';
import { safeName } from './gateway/safe-name.ts';

/** The members of unstorage's `Storage` that are used. */
export interface UnstorageClient {
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: Uint8Array, options?: { ttl?: number }): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
  getKeys(): Promise<readonly string[]>;
}

export interface UnstorageStoreOptions extends GatewayOptions {
  /** From `createStorage`, or a part of one (`prefixStorage`). */
  storage: UnstorageClient;
}

export class UnstorageStore extends GatewayStore {
  readonly name = 'unstorage';
  readonly #storage: UnstorageClient;

  /** @throws SessionConfigError */
  constructor({ storage, ...options }: UnstorageStoreOptions) {
    const methods = ['getItemRaw', 'setItemRaw', 'removeItem', 'getKeys'] as const;
    if (
      typeof storage !== 'object' ||
      storage === null ||
      methods.some((method) => typeof storage[method] !== 'function')
    ) {
      const expected = 'what createStorage of unstorage (npm install unstorage) makes';
      throw new SessionConfigError('storage', 'an object that is no storage', expected);
    }
    super(storage, options);
    this.#storage = storage;
  }

  /** unstorage takes `/`, `\` and `?` in a key for more than characters, and makes folders of what `:` separates. */
  protected override nameOf(key: string): string {
    return safeName(key, { keepColons: true });
  }

  protected async load(name: string): Promise<StoredRecord | undefined> {
    return unframe(await this.#storage.getItemRaw(name));
  }

  protected async save(name: string, record: StoredRecord): Promise<void> {
    // Drivers that can expire items by themselves go by this; the deadline in the item is the one that counts.
    const ttl = Math.max(1, Math.ceil((record.expiresAt - this.now()) / 1000));
    await this.#storage.setItemRaw(name, frame(record), Number.isFinite(ttl) ? { ttl } : {});
  }

  protected async remove(name: string): Promise<void> {
    await this.#storage.removeItem(name);
  }

  /** Deletes up to `limit` expired items. One call looks at a part of a large storage, the next goes on from there. */
  sweep(limit: number): Promise<number> {
    const storage = this.#storage;
    return this.sweepAmong(limit, async function* () {
      yield* await storage.getKeys();
    });
  }
}

const HEADER = /^flacon (\d{1,16}|never)\n/;
const LONGEST_HEADER = 'flacon 9007199254740991\n'.length;

/** The record after a line that tells what it is and until when, in milliseconds since 1970. */
function frame({ bytes, expiresAt }: StoredRecord): Uint8Array {
  const until = expiresAt < Number.MAX_SAFE_INTEGER ? Math.floor(expiresAt) : 'never';
  return Buffer.concat([Buffer.from(`flacon ${until}\n`), bytes]);
}

/** Undefined for what was not framed so: it is none of ours. */
function unframe(item: unknown): StoredRecord | undefined {
  const bytes = toBytes(item);
  const header = bytes && HEADER.exec(bytes.toString('latin1', 0, LONGEST_HEADER));
  if (!header) return undefined;
  const expiresAt = header[1] === 'never' ? Number.POSITIVE_INFINITY : Number(header[1]);
  return { bytes: bytes.subarray(header[0].length), expiresAt };
}

/** Drivers answer with whatever class of bytes their own client has. */
function toBytes(item: unknown): Buffer | undefined {
  if (item instanceof Uint8Array) return Buffer.from(item.buffer, item.byteOffset, item.byteLength);
  if (item instanceof ArrayBuffer) return Buffer.from(item);
  if (typeof item !== 'object' || item === null) return undefined;
  throw new TypeError(`unstorage: the driver answers with ${item.constructor?.name ?? 'an object'} for bytes`);
}
