/** The store object of the other library, for reading and for deleting: its records come out as JSON. */
import { isPromise, type SessionStore, type StoredRecord, type WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionDecodeError } from '../errors.ts';

/** The members of a store for express-session or @fastify/session that are used. */
export interface FormerStoreLike {
  get(sid: string, callback: (error: unknown, session?: unknown) => void): unknown;
  destroy(sid: string, callback: (error?: unknown) => void): unknown;
}

const UTF8 = new TextEncoder();

export class FormerStore implements SessionStore {
  readonly name: string;
  readonly #store: FormerStoreLike;

  /** @throws SessionConfigError */
  constructor(library: string, store: unknown) {
    if (!isStore(store)) {
      const given = store === undefined ? 'nothing' : 'an object that is none';
      throw new SessionConfigError('store', given, `the store object that ${library} was given`);
    }
    this.name = `${library} store`;
    this.#store = store;
    survive(store);
  }

  async read(sid: string): Promise<StoredRecord | undefined> {
    let session: unknown;
    try {
      session = await answerOf((callback) => this.#store.get(sid, callback));
    } catch (error) {
      // How stores on files say that there is none; both libraries take it so.
      if ((error as { code?: unknown } | null)?.code !== 'ENOENT') throw error;
    }
    // Whether it has expired is the store's to say, as it is for express-session: most stores move the deadline of a
    // session that is used without rewriting `cookie.expires` in it.
    return session ? { bytes: toJson(session), expiresAt: Number.POSITIVE_INFINITY } : undefined;
  }

  /** @returns true: whether there was one, these stores do not say */
  async delete(sid: string): Promise<boolean> {
    await answerOf((callback) => this.#store.destroy(sid, callback));
    return true;
  }

  write(): WriteResult {
    throw new TypeError('a former store is not written to');
  }

  touch(): boolean {
    throw new TypeError('a former store is not written to');
  }
}

const surviving = new WeakSet<object>();

/** What a connection reports is no reason for the process to end, which is what events do that nobody listens to. */
function survive(store: object): void {
  const { on } = store as { on?: (event: string, listener: () => void) => unknown };
  if (typeof on !== 'function' || surviving.has(store)) return;
  surviving.add(store);
  on.call(store, 'error', () => {});
}

function isStore(store: unknown): store is FormerStoreLike {
  const methods = ['get', 'destroy'] as const;
  return (
    typeof store === 'object' &&
    store !== null &&
    methods.every((method) => typeof (store as FormerStoreLike)[method] === 'function')
  );
}

/** What the callback is called with. A method that is asynchronous besides may also reject. */
function answerOf(call: (callback: (error?: unknown, value?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = call((error, value) => (error ? reject(error) : resolve(value)));
    if (isPromise(returned)) returned.catch(reject);
  });
}

/** Most of these stores keep JSON; others hand out objects, with methods and dates in them, that mean the same. */
function toJson(session: unknown): Uint8Array {
  try {
    return UTF8.encode(
      JSON.stringify(session, (_key, value) => (typeof value === 'string' ? wellFormed(value) : value)),
    );
  } catch (cause) {
    throw new SessionDecodeError('the record cannot be written as JSON', { cause });
  }
}

/** JavaScript cuts text in the middle of a character, and JSON keeps that; no format of ours does. */
function wellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}
