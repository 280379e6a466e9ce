/**
 * A client of the package memcached. It has CAS, so that nothing is lost between processes. But it takes every reply for
 * UTF-8 text, which destroys binary records, and it puts keys and values into text commands.
 *
 * Therefore a record that is plain text (Flask's JSON) is stored as it is; any other, among them all of msgpack, as marked
 * base64, which Flask does not read. A record that somebody else stored as bytes is an error and never a damaged session.
 */
import { SessionStoreError } from '../../errors.ts';
import { itemSize, tooLarge } from './item-size.ts';
import type { Item, Items, Token } from './items.ts';
import { plainKey } from './key.ts';

type Callback = (error: unknown, result?: unknown) => void;

/** What is used of memcached 2. */
export interface NpmMemcachedClient {
  gets(key: string, callback: Callback): void;
  add(key: string, value: string, lifetime: number, callback: Callback): void;
  cas(key: string, value: string, cas: string, lifetime: number, callback: Callback): void;
  del(key: string, callback: Callback): void;
  touch(key: string, lifetime: number, callback: Callback): void;
}

class CasToken {
  readonly cas: string;
  readonly client: NpmMemcachedClient;

  constructor(cas: string, client: NpmMemcachedClient) {
    this.cas = cas;
    this.client = client;
  }
}

const UTF8 = new TextEncoder();
const MARK = 'flacon-base64:';
/** A lifetime that is over as it begins. */
const OVER = -1;

export class NpmMemcachedItems implements Items {
  readonly atomic = true;
  readonly #client: NpmMemcachedClient;
  readonly #itemLimit: number;

  constructor(client: NpmMemcachedClient, itemLimit: number) {
    this.#client = client;
    this.#itemLimit = itemLimit;
  }

  async read<T>(key: string, make: (item: Item) => T): Promise<T | undefined> {
    const found = await answer((done) => this.#client.gets(safeKey(key), done));
    if (found === undefined) return undefined;
    // What the client makes of a failure of the server.
    if (typeof found !== 'object' || found === null) throw refusal('read');
    let text: unknown;
    // Under the key as the server knows it, with the client's namespace before it.
    for (const name in found) if (name !== 'cas') text = (found as Record<string, unknown>)[name];
    const token = new CasToken(casNumber((found as { cas?: unknown }).cas), this.#client);
    return make({ bytes: fromText(text), left: undefined, token });
  }

  async add(key: string, bytes: Uint8Array, lifetime: number): Promise<undefined | false> {
    const text = this.#fitting(key, bytes);
    const added = await answer((done) =>
      this.#client.add(safeKey(key), text, lifetime, (error, result) => {
        const there = (error as { notStored?: boolean } | undefined)?.notStored === true;
        done(there ? undefined : (error ?? (result === true ? undefined : refusal('write'))), !there);
      }),
    );
    return added ? undefined : false;
  }

  async replace(key: string, bytes: Uint8Array, lifetime: number, token: Token): Promise<undefined | false> {
    return (await this.#cas(key, this.#fitting(key, bytes), lifetime, token)) === true ? undefined : false;
  }

  /** The protocol it speaks has no conditional deletion; replacing by something that is over at once is one. */
  async removeIf(key: string, token: Token): Promise<boolean> {
    return (await this.#cas(key, '0', OVER, token)) === true;
  }

  async remove(key: string): Promise<boolean> {
    return (await answer((done) => this.#client.del(safeKey(key), done))) === true;
  }

  async touch(key: string, lifetime: number): Promise<boolean> {
    return (await answer((done) => this.#client.touch(safeKey(key), lifetime, done))) === true;
  }

  #cas(key: string, text: string, lifetime: number, token: Token): Promise<unknown> {
    if (!(token instanceof CasToken) || token.client !== this.#client) return Promise.resolve(false);
    return answer((done) => this.#client.cas(safeKey(key), text, token.cas, lifetime, done));
  }

  #fitting(key: string, bytes: Uint8Array): string {
    const text = toText(bytes);
    const size = itemSize(key, Buffer.byteLength(text));
    if (size > this.#itemLimit) throw tooLarge(size);
    return text;
  }
}

/** Results of the client come in an object, by key and beside `cas`. */
function safeKey(key: string): string {
  return plainKey(key === 'cas' || key === '__proto__' ? `${key} ` : key);
}

function toText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  return isDelicate(text) ? MARK + buffer.toString('base64') : text;
}

/** What is no UTF-8 has become U+FFFD; the client's own reading of lines, or its escaping of their ends, trips over the others. */
function isDelicate(text: string): boolean {
  if (text.includes('\ufffd') || text.includes('\r') || text.includes('\n')) return true;
  return text === '' || text === 'END' || text.startsWith(MARK);
}

function fromText(text: unknown): Uint8Array {
  if (typeof text !== 'string' || text.includes('\ufffd')) {
    const message =
      'session store memcached: the client `memcached` cannot read a binary record; give the store `servers` in its place, ' +
      'or let every application that shares the sessions write JSON';
    throw new SessionStoreError('memcached', 'read', message);
  }
  return text.startsWith(MARK) ? new Uint8Array(Buffer.from(text.slice(MARK.length), 'base64')) : UTF8.encode(text);
}

/** It goes back into a command. */
function casNumber(cas: unknown): string {
  if (typeof cas === 'string' && /^[1-9]\d{0,19}$/.test(cas)) return cas;
  throw new SessionStoreError(
    'memcached',
    'read',
    'session store memcached: the server compares nothing (its option -C)',
  );
}

function refusal(operation: string): SessionStoreError {
  return new SessionStoreError('memcached', operation, `session store memcached: the server refused to ${operation}`);
}

function answer(call: (done: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      const cause = Array.isArray(error) ? error[0] : error;
      if (cause) reject(cause instanceof Error ? cause : new Error('the client failed', { cause }));
      else resolve(result);
    });
  });
}
