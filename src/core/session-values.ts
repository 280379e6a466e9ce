/** What a session is to hold and how it is used as a dictionary: every write is recorded as an operation (state.ts). */
import { SessionKeyError } from '../errors.ts';
import { Dictionary, showState } from './dictionary.ts';
import { flash, takeFlashes } from './flash.ts';
import { PlainRecord } from './plain-record.ts';
import { SessionState, type Update } from './state.ts';

/**
 * What the session holds. Augment it to type every session of an application:
 * `declare module 'flacon' { interface SessionData { user: User } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it exists to be augmented
export interface SessionData {}

let reveal: (session: SessionValues) => SessionState;
let show: (session: SessionValues<object>, state: SessionState) => void;

/** The Map-like members; properties are the same data (dictionary.ts). */
export class SessionValues<D extends object = SessionData> extends Dictionary {
  #state: SessionState;

  static {
    reveal = (session) => session.#state;
    show = (session, state) => {
      session.#state = state;
      showState(session, state);
    };
  }

  /** @param data what it starts with; not a change */
  constructor(data?: Iterable<readonly [string, unknown]> | object | SessionState) {
    const state = data instanceof SessionState ? data : new SessionState();
    super(state);
    this.#state = state;
    if (data !== undefined && data !== state) state.rebase(new PlainRecord(entriesOf(data)));
  }

  /** The number of keys. */
  get size(): number {
    return this.#touch().keys().length;
  }

  get<K extends keyof D & string>(key: K): D[K] | undefined;
  get<K extends keyof D & string, F>(key: K, fallback: F): D[K] | F;
  get<V = unknown>(key: string): V | undefined;
  get<V = unknown>(key: string, fallback: V): V;
  get(key: string, fallback?: unknown): unknown {
    const value = this.#touch().get(key);
    return value === undefined ? fallback : value;
  }

  /** Undefined deletes the key. */
  set<K extends string>(key: K, value: K extends keyof D ? D[K] | undefined : unknown): this {
    this.#touch().set(key, value);
    return this;
  }

  has(key: string): boolean {
    return this.#touch().has(key);
  }

  /** @returns whether the key was there */
  delete(key: string): boolean {
    return this.#touch().delete(key);
  }

  /**
   * Takes a key out: its value, or the fallback when it is not there. Undefined is a fallback, too.
   * @throws SessionKeyError when it is not there and no fallback was given, as in Python
   */
  pop<K extends keyof D & string>(key: K): D[K];
  pop<K extends keyof D & string, F>(key: K, fallback: F): D[K] | F;
  pop<V = unknown>(key: string): V;
  pop<V = unknown>(key: string, fallback: undefined): V | undefined;
  pop<V = unknown>(key: string, fallback: V): V;
  pop(key: string, fallback?: unknown): unknown {
    const state = this.#touch();
    state.requireWritable();
    if (!state.has(key)) {
      // biome-ignore lint/complexity/noArguments: undefined is a fallback; a rest parameter would make a list for every call
      if (arguments.length < 2) throw new SessionKeyError();
      return fallback;
    }
    const value = state.get(key);
    state.delete(key);
    return value;
  }

  /** The value of the key, which is set first when it is not there (Python's `setdefault`). */
  setDefault<K extends keyof D & string>(key: K, value: D[K]): D[K];
  setDefault<V>(key: string, value: V): V;
  setDefault(key: string, value: unknown): unknown {
    const state = this.#touch();
    state.requireWritable();
    if (!state.has(key)) state.set(key, value);
    return state.get(key);
  }

  /** Sets every member of the object (Python's `update`). Counts as a change even when there is none. */
  assign(values: (Partial<D> & Readonly<Record<string, unknown>>) | Iterable<readonly [string, unknown]>): this {
    const state = this.#touch();
    state.requireWritable();
    for (const [key, value] of entriesOf(values)) state.set(key, value);
    // Counts as a change of what is there, which has to be read for that.
    void state.base;
    state.modified = true;
    return this;
  }

  /**
   * Sets a key to what the function makes of its value. When another request changed the record in the meantime, the
   * function runs again on the value that is there now: parallel increments all count.
   * @param step synchronous, without effects of its own; its argument is undefined when the key is not there
   * @throws TypeError when the function answers with a promise
   */
  update<K extends keyof D & string>(key: K, step: (current: D[K] | undefined) => D[K] | undefined): D[K] | undefined;
  update<V>(key: string, step: (current: V | undefined) => V): V;
  update(key: string, step: (current: never) => unknown): unknown {
    return this.#touch().update(key, step as Update);
  }

  /** Removes every key, `setExpiry` included. The session then has nothing to keep: saving it deletes the record and the cookie. */
  clear(): void {
    this.#touch().clear();
  }

  keys(): IterableIterator<string> {
    return this.#touch().keys().values();
  }
  *values(): IterableIterator<unknown> {
    const state = this.#touch();
    for (const key of state.keys()) yield state.get(key);
  }
  *entries(): IterableIterator<[string, unknown]> {
    const state = this.#touch();
    for (const key of state.keys()) yield [key, state.get(key)];
  }
  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.entries();
  }

  /** A plain object of what the session holds. */
  toJSON(): Partial<D> {
    return Object.fromEntries(this.entries()) as Partial<D>;
  }

  /**
   * Keeps a message for the next page that asks (Flask's `flash`).
   * @param message text, or Markup where the format can hold it
   */
  flash(message: unknown, category = 'message'): void {
    flash(this.#touch(), message, category);
  }

  /**
   * Takes the messages out, once per request (Flask's `get_flashed_messages(with_categories=True)`).
   * @param categories only these; the others are taken out, too, as Flask does
   */
  takeFlashes(categories?: readonly string[]): [category: string, message: unknown][] {
    return takeFlashes(this.#touch(), categories);
  }

  #touch(): SessionState {
    this.#state.accessed = true;
    return this.#state;
  }
}

/** What a session is made of. @internal */
export function stateOf(session: SessionValues<object>): SessionState {
  return reveal(session as SessionValues);
}

/** Makes a session show another state. @internal */
export function showIn(session: SessionValues<object>, state: SessionState): void {
  show(session, state);
}

function entriesOf(values: object | Iterable<readonly [string, unknown]>): Iterable<readonly [string, unknown]> {
  return Symbol.iterator in values ? (values as Iterable<readonly [string, unknown]>) : Object.entries(values);
}
