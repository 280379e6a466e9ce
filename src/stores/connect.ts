/**
 * Any store that was made for express-session (connect): there is one for nearly every database.
 *
 * Such stores have no conditional write. This one therefore says `atomic: false`: requests of one process never lose each
 * other's changes, two processes that write the same session at the same moment can.
 */
import { isPromise, type StoredRecord } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { seal, unseal } from './gateway/envelope.ts';
import { type GatewayOptions, GatewayStore } from './gateway/gateway-store.ts';
import { safeName } from './gateway/safe-name.ts';

/** The members of an express-session store that are used. */
export interface ExpressSessionStore {
  get(sid: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(sid: string, session: never, callback?: (error?: unknown) => void): unknown;
  destroy(sid: string, callback?: (error?: unknown) => void): unknown;
}

export interface ConnectStoreOptions extends GatewayOptions {
  /** An instance, as express-session takes it. It stays yours. */
  store: ExpressSessionStore;
}

/** What "never" is to stores that would take the absence of a date for a default of hours. */
const NEVER_MS = 10 * 365 * 86_400_000;

type Callback = (error?: unknown, value?: unknown) => void;

export class ConnectStore extends GatewayStore {
  readonly name = 'connect';
  readonly #store: ExpressSessionStore;
  readonly #unlisten: () => void;

  /** @throws SessionConfigError */
  constructor({ store, ...options }: ConnectStoreOptions) {
    const methods = ['get', 'set', 'destroy'] as const;
    if (typeof store !== 'object' || store === null || methods.some((method) => typeof store[method] !== 'function')) {
      const expected = 'an instance of a store for express-session';
      throw new SessionConfigError('store', 'an object that is none', expected);
    }
    super(store, options);
    this.#store = store;
    this.#unlisten = survive(store);
  }

  /** Some of these stores make the name of a file or of a column out of it. */
  protected override nameOf(key: string): string {
    return safeName(key);
  }

  protected async load(name: string): Promise<StoredRecord | undefined> {
    try {
      return unseal(await called((callback) => this.#store.get(name, callback)));
    } catch (error) {
      // How stores on files say that there is none; express-session takes it so, too.
      if ((error as { code?: unknown } | null)?.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * A session as express-session would store it, with the record as one more member. The deadline is in it too, so that
   * moving it is a `set`: a store's `touch` may not rewrite what it holds.
   */
  protected async save(name: string, record: StoredRecord): Promise<void> {
    const now = this.now();
    const left = Math.min(Math.max(record.expiresAt - now, 1), NEVER_MS);
    const cookie = {
      originalMaxAge: left,
      maxAge: left,
      expires: new Date(now + left),
      httpOnly: true,
      path: '/',
    };
    await called((callback) => this.#store.set(name, { cookie, ...seal(record) } as never, callback));
  }

  protected async remove(name: string): Promise<void> {
    await called((callback) => this.#store.destroy(name, callback));
  }

  /** Stops listening to the store, which stays open: it was given. */
  close(): void {
    this.#unlisten();
  }
}

/** The answer that comes by a callback. A method that is asynchronous besides may also reject. */
function called(call: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = call((error, value) => (error ? reject(error) : resolve(value)));
    if (isPromise(returned)) returned.catch(reject);
  });
}

/** What a connection reports is no reason for the process to end, which is what events do that nobody listens to. */
function survive(store: object): () => void {
  const { on, off } = store as Partial<Record<'on' | 'off', (event: string, listener: () => void) => unknown>>;
  const ignore = (): void => {};
  if (typeof on !== 'function') return () => {};
  on.call(store, 'error', ignore);
  return () => void off?.call(store, 'error', ignore);
}
