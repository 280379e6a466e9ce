/**
 * Any of Keyv's back ends, as cachelib is for Flask-Session: one name for many places.
 *
 * Keyv has no conditional write. The store therefore says `atomic: false`: requests of one process never lose each other's
 * changes, two processes that write the same session at the same moment can.
 */
import type { StoredRecord } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { seal, unseal } from './gateway/envelope.ts';
import { type GatewayOptions, GatewayStore } from './gateway/gateway-store.ts';

/** The members of a `Keyv` (version 5) that are used. */
export interface KeyvClient {
  get(key: string): Promise<unknown>;
  set(key: string, value: object, ttl?: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  throwOnErrors?: boolean;
}

export interface KeyvStoreOptions extends GatewayOptions {
  /**
   * A `Keyv` of its own for the sessions; several may share a back end. The store sets its `throwOnErrors`: a back end that is
   * out must not look like one that is empty.
   */
  keyv: KeyvClient;
}

/** What only some versions, or some back ends, have. */
interface Extras {
  readonly store?: unknown;
  readonly iterator?: unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  off?(event: 'error', listener: (error: unknown) => void): unknown;
}

/**
 * What can be swept, Keyv keeps a while longer than it can be read: Keyv itself deletes, all at once and uncounted, what has
 * expired by its own clock when it walks through a back end.
 */
const GRACE_MS = 3_600_000;

type Walk = (namespace?: string) => AsyncIterable<readonly [key: string, value: unknown]>;

export class KeyvStore extends GatewayStore {
  readonly name = 'keyv';
  /** Where the back end can be walked through. */
  declare readonly sweep?: (limit: number) => Promise<number>;
  readonly #keyv: KeyvClient;
  readonly #extras: Extras;
  /** What the back end reported last. */
  #failure: { readonly error: unknown } | undefined;
  readonly #listen = (error: unknown): void => {
    this.#failure = { error };
  };

  /** @throws SessionConfigError */
  constructor({ keyv, ...options }: KeyvStoreOptions) {
    const methods = ['get', 'set', 'delete'] as const;
    if (typeof keyv !== 'object' || keyv === null || methods.some((method) => typeof keyv[method] !== 'function')) {
      throw new SessionConfigError(
        'keyv',
        'an object that is no Keyv',
        'a Keyv (npm install keyv), version 5 or later',
      );
    }
    const extras = keyv as Extras;
    super(typeof extras.store === 'object' && extras.store !== null ? extras.store : keyv, options);
    this.#keyv = keyv;
    this.#extras = extras;
    keyv.throwOnErrors = true;
    extras.on?.('error', this.#listen);
    const { iterator } = extras;
    if (typeof iterator === 'function') {
      this.sweep = (limit) => this.sweepAmong(limit, () => names(iterator as Walk));
    }
  }

  protected async load(name: string): Promise<StoredRecord | undefined> {
    return unseal(await this.#answered(() => this.#keyv.get(name)));
  }

  protected async save(name: string, record: StoredRecord): Promise<void> {
    // 0 is how Keyv is told "never", whatever its own default; what is over by a moment gets the shortest there is.
    const left = record.expiresAt - this.now();
    const ttl = Number.isFinite(left) ? Math.max(1, Math.ceil(left)) + (this.sweep ? GRACE_MS : 0) : 0;
    const stored = await this.#answered(() => this.#keyv.set(name, seal(record), ttl));
    if (stored === false) throw new Error('keyv: the back end did not store the value');
  }

  protected async remove(name: string): Promise<void> {
    await this.#answered(() => this.#keyv.delete(name));
  }

  /** Stops listening to the Keyv, which stays open: it was given. */
  close(): void {
    this.#extras.off?.('error', this.#listen);
  }

  /** Some back ends report a failure by an event, and then answer as if there were nothing. */
  async #answered<T>(call: () => Promise<T>): Promise<T> {
    const before = this.#failure;
    const answer = await call();
    if (this.#failure !== before)
      throw new Error('keyv: the back end reported a failure', { cause: this.#failure?.error });
    return answer;
  }
}

async function* names(iterator: Walk): AsyncGenerator<string> {
  for await (const [key] of iterator()) yield key;
}
