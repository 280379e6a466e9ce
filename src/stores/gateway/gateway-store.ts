/**
 * The verbs of a store over a place that only gets, sets and removes. It cannot compare: this process does that for it,
 * one request after the other for every key. What another process writes between our look and our write is lost.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../../core/store.ts';
import { SessionStoreError } from '../../errors.ts';
import { refuseUnknown } from '../known-options.ts';
import { type KeyLanes, type Limit, lanesOf, type Turn } from './key-lanes.ts';

/** Milliseconds that a verb may hold its key, well beyond the deadline of the request that wants it. */
const PATIENCE = 10_000;
/** Records that one call of `sweep` looks at, at the least. */
const LOOKED_AT = 1000;

export interface GatewayOptions {
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds after which a verb that was not answered stops holding up others of the same session. Default 10,000. */
  patience?: number;
}

const KNOWN = { now: true, patience: true } as const;

export abstract class GatewayStore implements SessionStore {
  abstract readonly name: string;
  readonly atomic = false;
  readonly #lanes: KeyLanes;
  protected readonly now: () => number;
  readonly #patience: number;
  #position: AsyncIterator<string> | undefined;

  /** @param place what turns are taken at: the same object for all stores over it */
  constructor(place: object, options: GatewayOptions) {
    refuseUnknown(options, KNOWN);
    const { now = Date.now, patience = PATIENCE } = options;
    this.#lanes = lanesOf(place);
    this.now = now;
    this.#patience = patience;
  }

  /** What the place calls the key. */
  protected nameOf(key: string): string {
    return key;
  }
  /** Undefined when there is nothing, or nothing of ours. */
  protected abstract load(name: string): Promise<StoredRecord | undefined>;
  protected abstract save(name: string, record: StoredRecord): Promise<void>;
  protected abstract remove(name: string): Promise<void>;

  read(key: string): Promise<StoredRecord | undefined> {
    const name = this.nameOf(key);
    return this.#lanes.read(name, async () => this.#alive(await this.load(name)), this.#limit('read'));
  }

  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    return this.#change('write', key, async (name, hold) => {
      const found = this.#alive(await this.load(name));
      if (!found && expected) return 'gone';
      if (found && !(expected && Buffer.compare(found.bytes, expected) === 0)) return { conflict: found };
      hold();
      if (record !== null && expiresAt > this.now()) await this.save(name, { bytes: record, expiresAt });
      else if (found) await this.remove(name);
      return 'written';
    });
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#change('touch', key, async (name, hold) => {
      const found = this.#alive(await this.load(name));
      if (!found) return false;
      hold();
      if (expiresAt > this.now()) await this.save(name, { bytes: found.bytes, expiresAt });
      else await this.remove(name);
      return true;
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#change('delete', key, async (name, hold) => {
      const found = this.#alive(await this.load(name));
      hold();
      await this.remove(name);
      return found !== undefined;
    });
  }

  /**
   * Deletes up to `limit` expired records among the next that `names` gives, and goes on from there at the next call. For
   * the `sweep` of places that can be walked through.
   */
  protected async sweepAmong(limit: number, names: () => AsyncIterator<string>): Promise<number> {
    let deleted = 0;
    for (let looked = 0; deleted < limit && looked < Math.max(LOOKED_AT, 10 * limit); looked++) {
      const position = this.#position ?? names();
      this.#position = undefined;
      // A walk that fails is not gone on with: the next call begins anew.
      const next = await position.next();
      if (next.done) break;
      this.#position = position;
      if (await this.#retire(next.value)) deleted++;
    }
    return deleted;
  }

  #retire(name: string): Promise<boolean> {
    return this.#changeNamed('sweep', name, async (hold) => {
      const found = await this.load(name);
      if (!found || this.#alive(found)) return false;
      hold();
      await this.remove(name);
      return true;
    });
  }

  #alive(record: StoredRecord | undefined): StoredRecord | undefined {
    return record && record.expiresAt > this.now() ? record : undefined;
  }

  #change<T>(operation: string, key: string, step: (name: string, hold: () => void) => Promise<T>): Promise<T> {
    const name = this.nameOf(key);
    return this.#changeNamed(operation, name, (hold) => step(name, hold));
  }

  /** @param step calls `hold` before it changes anything: it throws when somebody else has the key by now */
  #changeNamed<T>(operation: string, name: string, step: (hold: () => void) => Promise<T>): Promise<T> {
    const limit = this.#limit(operation);
    const held = (turn: Turn): Promise<T> =>
      step(() => {
        if (turn.over) throw limit.late();
      });
    return this.#lanes.change(name, held, limit);
  }

  #limit(operation: string): Limit {
    const message = `session store ${this.name}: ${operation} was not answered within ${this.#patience / 1000} s`;
    return {
      patience: this.#patience,
      late: () => new SessionStoreError(this.name, operation, message, { timeout: true }),
    };
  }
}
