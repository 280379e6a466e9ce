/**
 * The visitor's dictionary, as handlers use it. Property access and the Map-like methods are the same data; every write is
 * recorded as an operation (state.ts) and committed by the session interface.
 */
import { SessionKeyError } from '../errors.ts';
import { callBack, pastOf, type SessionCallback } from './callbacks.ts';
import { Dictionary, showState } from './dictionary.ts';
import { EXPIRY, type Expiry, writtenExpiry } from './expiry.ts';
import { flash, takeFlashes } from './flash.ts';
import { PlainRecord } from './plain-record.ts';
import { CREATED, PERMANENT, SessionState, type Update } from './state.ts';
import type { Awaitable } from './store.ts';

/**
 * What the session holds. Augment it to type every session of an application:
 * `declare module 'flacon' { interface SessionData { user: User } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it exists to be augmented
export interface SessionData {}

/** What an interface lets a session do by itself. Each is undefined where it makes no sense. */
export interface SessionControls {
  /** Whether the visitor brought no session that could be resumed. Default true. */
  readonly isNew?: boolean;
  /** Whether a new session is permanent. Default false. */
  readonly permanent?: boolean;
  /** When the session ends unless it is used again, in milliseconds since 1970. */
  expiresAt?(): number;
  /** The id, made when first asked for; null where there is none (the data is in the cookie). */
  sid?(): string | null;
  regenerate?(): boolean;
  destroy?(): void;
  save?(): Awaitable<void>;
  reload?(): Awaitable<void>;
  load?(): Awaitable<void>;
  /** The response begins: the cookie is being decided on. */
  headersLeaving?(): void;
  /** The response's headers have left: what is changed from here on is saved late, or refused. */
  headersSent?(): void;
  /** Resolves when late changes are saved; undefined when there are none. */
  settleLate?(): Promise<void> | undefined;
  /** There is no response (a socket): no cookie can reach the client, and changes wait for `save`. */
  detach?(): void;
  /** Calls when this process learns that the record is gone, until the function that it answers is called. */
  watch?(gone: () => void): () => void;
  /** Asks anew whether the session that the client offered can still be resumed. Changes and extends nothing. */
  isAlive?(): Awaitable<boolean>;
}

/** The last time that a Date can be, in milliseconds since 1970. */
const MAX_TIME = 8.64e15;

let reveal: (session: SessionMembers) => SessionControls;
let latest: (session: SessionMembers) => SessionMembers;
let reunite: <D extends object>(session: SessionMembers<D>) => void;

/** What `regenerate(callback)` made of a session. */
interface Renewal<D extends object> {
  /** What the interface opened, and saves. */
  readonly opened: SessionMembers<D>;
  /** What handlers find in its place. */
  latest: SessionMembers<D>;
  readonly state: SessionState;
}

/** The members of every session. `D` is what it holds: see {@link SessionData}. */
export class SessionMembers<D extends object = SessionData> extends Dictionary {
  #state: SessionState;
  readonly #controls: SessionControls;
  #renewal: Renewal<D> | undefined;

  static {
    reveal = (session) => session.#controls;
    latest = (session) => session.#renewal?.latest ?? session;
    reunite = (session) => {
      const renewal = session.#renewal;
      if (renewal) renewal.opened.#show(renewal.state);
    };
  }

  /**
   * @param data what it starts with; not a change
   * @param controls given by the session interface
   */
  constructor(data?: Iterable<readonly [string, unknown]> | object | SessionState, controls: SessionControls = {}) {
    const state = data instanceof SessionState ? data : new SessionState();
    super(state);
    this.#state = state;
    this.#controls = controls;
    if (controls.isNew !== undefined) state.isNew = controls.isNew;
    if (data !== undefined && data !== state) state.rebase(new PlainRecord(entriesOf(data)));
  }

  /** True when something in the session was used, other than these flags. Decides `Vary: Cookie` (Flask's `accessed`). */
  get accessed(): boolean {
    return this.#state.accessed;
  }

  /** True after a top-level write. Setting it forces, or with false prevents, saving (Flask's `modified`). */
  get modified(): boolean {
    return this.#state.modified;
  }
  set modified(value: boolean) {
    // Forcing a save of what was never read would save nothing: read it first.
    if (value) void this.#touch().base;
    this.#state.modified = value;
  }

  /** True when the visitor brought no session that could be resumed (Flask's `new`). */
  get isNew(): boolean {
    void this.#touch().base;
    return this.#state.isNew;
  }

  /** Whether the cookie outlives the browser's session: the key `_permanent` (Flask's `permanent`). See also `setExpiry`. */
  get permanent(): boolean {
    return Boolean(this.#touch().get(PERMANENT));
  }
  set permanent(value: boolean) {
    this.#touch().set(PERMANENT, Boolean(value));
  }

  /** The session's id; null where the data is in the cookie. A secret: whoever has it is the visitor. */
  get sid(): string | null {
    void this.#touch().base;
    return this.#controls.sid?.() ?? null;
  }

  /** When the session began; null where that is not recorded (the Flask profile). */
  get createdAt(): Date | null {
    const seconds = this.#touch().get(CREATED);
    return typeof seconds === 'number' ? new Date(seconds * 1000) : null;
  }

  /**
   * When the session ends unless it is used again, or sooner with the browser's when it is not `permanent`; null where
   * the session interface does not say (Django's `get_expiry_date`).
   */
  get expiresAt(): Date | null {
    void this.#touch().base;
    const at = this.#controls.expiresAt?.();
    return at === undefined ? null : new Date(Math.min(at, MAX_TIME));
  }

  /**
   * Gives this session an end of its own, for this request and those that follow (Django's `set_expiry`). `regenerate`
   * keeps it, `clear` and `destroy` do not. It may be later than the interface's idle timeout, never than its absolute one, nor
   * more than 400 days after the last use, for which browsers keep a cookie at most.
   * @param value
   * - seconds, or `{ days, hours, minutes, seconds }`: without use; the session is then `permanent`
   * - a Date: whether it is used or not; then, too, it is `permanent`
   * - 0: the browser closes; it is no longer `permanent`, and idle as long as any other
   * - null: as the interface is configured, `permanent` included
   *
   * A Date that has passed, or a negative number, ends the session with this request.
   * @throws TypeError for anything else, and beyond the year 9999
   */
  setExpiry(value: Expiry | null | undefined): void {
    const isReset = value === null || value === undefined;
    const kept = isReset ? undefined : writtenExpiry(value);
    const permanent = isReset ? (this.#controls.permanent ?? false) : kept !== undefined;
    const state = this.#touch();
    state.requireWritable();
    if (kept === undefined) state.delete(EXPIRY);
    else state.set(EXPIRY, kept);
    if (Boolean(state.get(PERMANENT)) !== permanent) state.set(PERMANENT, permanent);
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
    this.modified = true;
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

  /**
   * Continues under a new id: call it when the visitor signs in. The record moves when the session is saved, the new
   * one first; the old id is then dead.
   * @returns false where there is nothing to do: no id (the data is in the cookie), or nothing in the session
   */
  regenerate(): boolean;
  /**
   * As express-session's: the request's session is another one from here on, new and empty. This object shows what was in
   * it until the session is saved, and is read-only for so long.
   */
  regenerate(callback: SessionCallback): this;
  regenerate(callback?: SessionCallback): boolean | this {
    if (callback) return this.#tell(callback, () => this.#renew());
    void this.#touch().base;
    return this.#controls.regenerate?.() ?? false;
  }

  #renew(): void {
    const state = this.#touch();
    void state.base;
    state.requireWritable();
    const past = pastOf(state);
    // Refuses where a new id could no longer reach the client.
    this.#controls.regenerate?.();
    this.destroy();
    const latest: SessionMembers<D> = Reflect.construct(SessionMembers, [state, this.#controls], this.constructor);
    const renewal = this.#renewal ?? { opened: this, latest, state };
    renewal.latest = latest;
    latest.#renewal = renewal;
    this.#renewal = renewal;
    this.#show(past);
  }

  #show(state: SessionState): void {
    this.#state = state;
    showState(this, state);
  }

  /** Ends the session: its record and cookie go. What is written afterwards begins another one. */
  destroy(): void;
  /** As express-session's: the record is gone when the callback is called. */
  destroy(callback: SessionCallback): this;
  // biome-ignore lint/suspicious/noConfusingVoidType: nothing is what the form without a callback answers
  destroy(callback?: SessionCallback): void | this {
    if (callback) {
      return this.#tell(callback, () => {
        this.destroy();
        return this.#commit();
      });
    }
    const state = this.#touch();
    state.requireWritable();
    if (this.#controls.destroy) this.#controls.destroy();
    else state.clear();
  }

  /**
   * Commits now what the response would have committed when it begins. Changes made later are committed then.
   * @throws SessionStoreError | SessionConflictError | SessionEncodeError
   */
  save(): Promise<void>;
  save(callback: SessionCallback): this;
  save(callback?: SessionCallback): Promise<void> | this {
    return callback ? this.#tell(callback, () => this.#commit()) : this.#commit();
  }

  async #commit(): Promise<void> {
    this.#touch();
    reunite(this);
    await this.#controls.save?.();
  }

  /** Drops the changes and reads the record anew. @throws SessionStoreError */
  reload(): Promise<void>;
  reload(callback: SessionCallback): this;
  reload(callback?: SessionCallback): Promise<void> | this {
    return callback ? this.#tell(callback, () => this.#readAnew()) : this.#readAnew();
  }

  async #readAnew(): Promise<void> {
    this.#touch();
    await this.#controls.reload?.();
  }

  #tell(callback: SessionCallback, work: () => unknown): this {
    callBack(callback, work);
    return this;
  }

  /** Counts as a use, which moves the end of idleness; so does every other member. */
  touch(): this {
    void this.#touch().base;
    return this;
  }

  /** Reads the record of a lazy session; nothing for one that was read. @throws SessionStoreError */
  async load(): Promise<this> {
    this.#state.accessed = true;
    await this.#controls.load?.();
    return this;
  }

  /** For `console.log`: the data, never the id. */
  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: number,
    options: object,
    inspect?: (v: unknown, o: object) => string,
  ) {
    if (!this.#state.loaded) return 'Session (not read yet)';
    const data = Object.fromEntries(this.#state.keys().map((key) => [key, this.#state.get(key)]));
    return inspect ? `Session ${inspect(data, options)}` : data;
  }

  #touch(): SessionState {
    this.#state.accessed = true;
    return this.#state;
  }
}

/** A session: its members, and what it holds as properties. */
export type Session<D extends object = SessionData> = SessionMembers<D> & {
  [K in Exclude<keyof D, keyof SessionMembers>]?: D[K];
};

interface SessionConstructor {
  new <D extends object = SessionData>(
    data?: Iterable<readonly [string, unknown]> | object | SessionState,
    controls?: SessionControls,
  ): Session<D>;
  readonly prototype: SessionMembers;
}
export const Session: SessionConstructor = SessionMembers as unknown as SessionConstructor;

/** The engine's side of a session. @internal */
export function controlsOf(session: SessionMembers): SessionControls {
  return reveal(session);
}

/** The session that handlers use in its place, after `regenerate(callback)`. @internal */
export function latestOf(session: Session): Session {
  return latest(session);
}

/** Before an interface saves the session that it opened: makes it show what is to be saved. @internal */
export function prepareSave(session: Session): void {
  reunite(session);
}

function entriesOf(values: object | Iterable<readonly [string, unknown]>): Iterable<readonly [string, unknown]> {
  return Symbol.iterator in values ? (values as Iterable<readonly [string, unknown]>) : Object.entries(values);
}
