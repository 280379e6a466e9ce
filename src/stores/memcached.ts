/**
 * Memcached 1.6 through a small client of its own, or through a client that the application has.
 *
 * A record is an item with Flask-Session's key, its bytes and no flags. Memcached compares no contents, but numbers them: a
 * read gives the number along, the store remembers it with the bytes that it handed out or wrote, and a conditional write of
 * those bytes is one command with that number. Only for bytes that it does not know it reads and compares first.
 *
 * The server ends what has expired, by its own clock in whole seconds, and may forget records when its memory is full. What
 * a server that is down holds is out of reach; it is looked for nowhere else, since two servers with different states of one
 * session would lose writes.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';
import { Deadlines, toExptime } from './memcached/expiry.ts';
import type { Item, Items, Token } from './memcached/items.ts';
import { note, tokenOf } from './memcached/known-bytes.ts';
import { itemsFrom, type MemcachedOptions } from './memcached/options.ts';
import { Turns } from './memcached/turns.ts';

export type { Distribution } from './memcached/distribution.ts';
export { MemcachedError, type MemcachedErrorCode } from './memcached/failure.ts';
export type { MemjsClient } from './memcached/memjs.ts';
export type { NpmMemcachedClient } from './memcached/npm-memcached.ts';
export type { TlsOptions } from './memcached/servers.ts';

export interface MemcachedStoreOptions extends MemcachedOptions {
  /** The clock, in milliseconds since 1970. Lifetimes of more than 30 days need a server with about the same time. */
  now?: () => number;
}

const KNOWN = {
  now: true,
  client: true,
  servers: true,
  url: true,
  distribution: true,
  username: true,
  password: true,
  tls: true,
  timeout: true,
  maxItemSize: true,
} as const;

/** Somebody else changes the record to the same bytes between each reading and writing: not for ever. */
const MAX_ATTEMPTS = 100;

export class MemcachedStore implements SessionStore {
  readonly name = 'memcached';
  /** False with a client of `memjs`, which cannot compare: two processes may then lose a write. */
  readonly atomic: boolean;
  /** False with a client of `memcached`: only records in JSON are then stored as Flask stores them. */
  readonly binary: boolean;
  readonly #items: Items;
  readonly #turns: Turns | undefined;
  readonly #now: () => number;
  readonly #deadlines = new Deadlines();
  #closed = false;

  /** Connects at the first use. @throws SessionConfigError */
  constructor(options: MemcachedStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    const { items, client, binary } = itemsFrom(options);
    this.#items = items;
    this.atomic = items.atomic;
    this.binary = binary;
    this.#turns = client && !items.atomic ? Turns.of(client) : undefined;
    this.#now = options.now ?? Date.now;
  }

  read(key: string): Promise<StoredRecord | undefined> {
    return this.#closed ? this.#refuse('read') : this.#read(key);
  }

  /** @throws SessionStoreError for a record over the server's limit; SessionEncodeError for a deadline after 2038 */
  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    if (this.#closed) return this.#refuse('write');
    const next = expiresAt <= this.#now() ? null : record;
    const step = () => (expected ? this.#update(key, next, expiresAt, expected) : this.#create(key, next, expiresAt));
    return this.#turns ? this.#turns.take(key, step) : step();
  }

  /** @throws SessionEncodeError for a deadline after 2038 */
  touch(key: string, expiresAt: number): Promise<boolean> {
    if (this.#closed) return this.#refuse('touch');
    const now = this.#now();
    if (expiresAt <= now) return this.delete(key);
    let exptime: number;
    try {
      exptime = toExptime(expiresAt, now);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#items.touch(key, exptime).then((alive) => {
      if (alive) this.#deadlines.note(key, expiresAt);
      return alive;
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#closed ? this.#refuse('delete') : this.#items.remove(key);
  }

  /** Closes the connections that the store made; a client that was given stays open. */
  close(): void {
    this.#closed = true;
    this.#items.close?.();
  }

  async #create(key: string, record: Uint8Array | null, expiresAt: number): Promise<WriteResult> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (record) {
        const added = await this.#items.add(key, record, toExptime(expiresAt, this.#now()));
        if (added !== false) return this.#written(key, record, expiresAt, added);
      }
      const there = await this.#read(key);
      if (there) return { conflict: there };
      if (!record) return 'written';
    }
    throw unsettled();
  }

  async #update(key: string, record: Uint8Array | null, expiresAt: number, expected: Uint8Array): Promise<WriteResult> {
    let token = this.atomic ? tokenOf(expected, key) : undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (token === undefined) {
        const item = await this.#items.read(key, itself);
        if (!item) return 'gone';
        if (Buffer.compare(item.bytes, expected) !== 0) return { conflict: this.#toRecord(key, item) };
        token = item.token;
      }
      if (record) {
        const replaced = await this.#items.replace(key, record, toExptime(expiresAt, this.#now()), token);
        if (replaced !== false) return this.#written(key, record, expiresAt, replaced);
      } else if (await this.#items.removeIf(key, token)) {
        return 'written';
      }
      // Another content, or the same written anew, or none: to be seen.
      token = undefined;
    }
    throw unsettled();
  }

  #written(key: string, record: Uint8Array, expiresAt: number, token: Token | undefined): 'written' {
    this.#deadlines.note(key, expiresAt);
    if (token) note(record, key, token);
    return 'written';
  }

  #toRecord(key: string, { bytes, left, token }: Item): StoredRecord {
    if (this.atomic) note(bytes, key, token);
    return { bytes, expiresAt: this.#deadlines.of(key, left, this.#now()) };
  }

  #read(key: string): Promise<StoredRecord | undefined> {
    return this.#items.read(key, (item) => this.#toRecord(key, item));
  }

  #refuse(operation: string): Promise<never> {
    return Promise.reject(new SessionStoreError(this.name, operation, 'session store memcached: it is closed'));
  }
}

function itself(item: Item): Item {
  return item;
}

function unsettled(): SessionStoreError {
  return new SessionStoreError(
    'memcached',
    'write',
    `session store memcached: ${MAX_ATTEMPTS} attempts met other writers`,
  );
}
