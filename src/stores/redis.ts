/**
 * Redis or Valkey: one round trip for each verb, over the connection that the application has (node-redis or ioredis, each as
 * a client, a cluster or through sentinels), or over one of the store's own, from a URL.
 *
 * A record is a string value with a time to live, which is how Flask-Session keeps it. Reading, the conditional write and
 * the new deadline are scripts: they answer value and deadline together, run on the primary, and compare and write as one
 * step. Redis deletes what has expired, so there is nothing to sweep.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';
import { commandsOf, type RedisClient, type RedisCommands } from './redis/client.ts';
import { RedisConnection } from './redis/connection.ts';
import { isDriver, openClient, type RedisDriver } from './redis/driver.ts';
import { READ, TOUCH, WRITE } from './redis/scripts.ts';
import { parseRedisUrl } from './redis/url.ts';

export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis/client.ts';

export interface RedisStoreOptions {
  /** A connected client of yours: node-redis 5 or later, or ioredis 5 or later. It stays yours: the store does not close it. */
  client?: RedisClient;
  /**
   * Where no client is given: `redis://[[user]:password@]host[:port][/database]`, `rediss://…` (TLS) or
   * `unix:///path?db=0`. The store then connects at the first use, with the installed driver, and closes what it opened.
   * Default `redis://localhost:6379`.
   */
  url?: string;
  /** What connects to the URL. Default: node-redis if it is installed, else ioredis. */
  driver?: RedisDriver;
  /** The clock, in milliseconds since 1970. It may differ from the server's. */
  now?: () => number;
}

const KNOWN = { client: true, url: true, driver: true, now: true } as const;

export class RedisStore implements SessionStore {
  readonly name = 'redis';
  readonly #connection: RedisConnection | undefined;
  readonly #given: RedisCommands | undefined;
  readonly #unlisten: (() => void) | undefined;
  readonly #now: () => number;
  #closed = false;

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: RedisStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    const { client, url, driver, now = Date.now } = options;
    this.#now = now;
    if (driver !== undefined && !isDriver(driver)) {
      throw new SessionConfigError('driver', JSON.stringify(driver), '`redis` or `ioredis`');
    }
    if (client === undefined) {
      const address = parseRedisUrl(url ?? 'redis://localhost:6379');
      this.#connection = new RedisConnection(address, () => openClient(address, driver));
      return;
    }
    if (url !== undefined) throw new SessionConfigError('url', 'a URL besides a client', 'one of the two');
    this.#given = commandsOf(client);
    if (!this.#given) {
      const expected = 'a client, cluster or sentinel of node-redis (redis) 5 or later, or of ioredis 5 or later';
      throw new SessionConfigError('client', 'an object that is none', expected);
    }
    this.#unlisten = survive(client);
  }

  read(key: string): Promise<StoredRecord | undefined> {
    const args = [this.#clock()];
    return this.#with('read', (commands) => commands.run(READ, key, args, toRecord));
  }

  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    const clock = this.#clock();
    const next = record === null || expiresAt <= Number(clock) ? null : record;
    const args = next === null ? [clock, 'delete', ''] : [clock, deadline(expiresAt), buffer(next)];
    if (expected) args.push(buffer(expected));
    return this.#with('write', (commands) => commands.run(WRITE, key, args, toResult));
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    const args = [this.#clock(), deadline(expiresAt)];
    return this.#with('touch', (commands) => commands.run(TOUCH, key, args, isOne));
  }

  delete(key: string): Promise<boolean> {
    return this.#with('delete', (commands) => commands.del(key).then(isOne));
  }

  /** Closes the connection that the store opened; a client that was given stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unlisten?.();
    await this.#connection?.close();
  }

  #with<T>(operation: string, step: (commands: RedisCommands) => Promise<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new SessionStoreError(this.name, operation, 'session store redis: it is closed'));
    }
    const commands = this.#given ?? this.#connection!.commands;
    return commands ? step(commands) : this.#connection!.open(operation).then(step);
  }

  #clock(): string {
    return String(Math.floor(this.#now()));
  }
}

/** A failing connection fails the verbs that need it. It is no reason for the process to end, which is what events do that nobody listens to. */
function survive(client: object): (() => void) | undefined {
  const { on, off } = client as Partial<Record<'on' | 'off', (event: string, listener: () => void) => unknown>>;
  const ignore = (): void => {};
  if (typeof on !== 'function') return undefined;
  on.call(client, 'error', ignore);
  return () => void off?.call(client, 'error', ignore);
}

function toRecord(reply: unknown): StoredRecord | undefined {
  if (reply === null) return undefined;
  const [bytes, expiresAt] = reply as [Buffer, number | string];
  const at = Number(expiresAt);
  return { bytes, expiresAt: at === -1 ? Number.POSITIVE_INFINITY : at };
}

function toResult(reply: unknown): WriteResult {
  if (Array.isArray(reply)) return { conflict: toRecord(reply)! };
  return isOne(reply) ? 'written' : 'gone';
}

/** Text, where an ioredis client was told to give numbers so. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

/** Redis counts whole milliseconds. */
function deadline(expiresAt: number): string {
  return expiresAt < Number.MAX_SAFE_INTEGER ? String(Math.floor(expiresAt)) : 'never';
}

/** The same memory, as the class that the drivers know. */
function buffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
