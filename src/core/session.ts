/** The visitor's session, as handlers use it: a dictionary (session-values.ts), and its life, which an interface looks after. */
import { callBack, pastOf, type SessionCallback } from './callbacks.ts';
import { EXPIRY, type Expiry, writtenExpiry } from './expiry.ts';
import { type SessionData, SessionValues, showIn, stateOf } from './session-values.ts';
import { CREATED, PERMANENT, type SessionState } from './state.ts';
import type { Awaitable } from './store.ts';

export type { SessionData } from './session-values.ts';

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
export class SessionMembers<D extends object = SessionData> extends SessionValues<D> {
  readonly #controls: SessionControls;
  #renewal: Renewal<D> | undefined;

  static {
    reveal = (session) => session.#controls;
    latest = (session) => session.#renewal?.latest ?? session;
    reunite = (session) => {
      const renewal = session.#renewal;
      if (renewal) showIn(renewal.opened, renewal.state);
    };
  }

  /**
   * @param data what it starts with; not a change
   * @param controls given by the session interface
   */
  constructor(data?: Iterable<readonly [string, unknown]> | object | SessionState, controls: SessionControls = {}) {
    super(data);
    this.#controls = controls;
    if (controls.isNew !== undefined) stateOf(this).isNew = controls.isNew;
  }

  /** True when something in the session was used, other than these flags. Decides `Vary: Cookie` (Flask's `accessed`). */
  get accessed(): boolean {
    return stateOf(this).accessed;
  }

  /** True after a top-level write. Setting it forces, or with false prevents, saving (Flask's `modified`). */
  get modified(): boolean {
    return stateOf(this).modified;
  }
  set modified(value: boolean) {
    // Forcing a save of what was never read would save nothing: read it first.
    if (value) void this.#touch().base;
    stateOf(this).modified = value;
  }

  /** True when the visitor brought no session that could be resumed (Flask's `new`). */
  get isNew(): boolean {
    void this.#touch().base;
    return stateOf(this).isNew;
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
    // Said even where it is so already: a parallel request may be about to say something else, and both keys are one answer.
    if (permanent || state.get(PERMANENT)) state.set(PERMANENT, permanent);
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
    showIn(this, past);
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
    stateOf(this).accessed = true;
    await this.#controls.load?.();
    return this;
  }

  /** For `console.log`: the data, never the id. */
  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: number,
    options: object,
    inspect?: (v: unknown, o: object) => string,
  ) {
    if (!stateOf(this).loaded) return 'Session (not read yet)';
    const data = Object.fromEntries(
      stateOf(this)
        .keys()
        .map((key) => [key, stateOf(this).get(key)]),
    );
    return inspect ? `Session ${inspect(data, options)}` : data;
  }

  #touch(): SessionState {
    const state = stateOf(this);
    state.accessed = true;
    return state;
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
