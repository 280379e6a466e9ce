/** One request and its response, as the engine sees them. Every adapter runs its session through this, in this order. */
import type { SessionHolder } from './context.ts';
import type { SessionEffects } from './effects.ts';
import { controlsOf, latestOf, prepareSave, type Session, SessionMembers } from './session.ts';
import type { SessionInterface, SessionRequest } from './session-interface.ts';
import { type Awaitable, chain, isPromise } from './store.ts';

const NOTHING: SessionEffects = {};

export class SessionExchange implements SessionHolder {
  readonly #interface: SessionInterface;
  readonly #request: SessionRequest;
  #session: Session | undefined;
  #saved = false;
  #detached = false;
  /** What the handler put in the session's place. */
  #replacement: { readonly value: unknown } | undefined;

  constructor(sessionInterface: SessionInterface, request: SessionRequest) {
    this.#interface = sessionInterface;
    this.#request = request;
  }

  /**
   * First: opens the session, or leaves that to the first use of it where that costs nothing to wait for.
   * @throws SessionStoreError when the store fails and the policy is to fail with it
   */
  open(): Awaitable<void> {
    if (this.#interface.opensLazily) return undefined;
    return chain(this.#interface.openSession(this.#request), (session) => this.#take(session));
  }

  #take(session: Session | null): void {
    this.#session = session ?? this.#interface.makeNullSession();
  }

  get session(): Session {
    return latestOf(this.#opened);
  }

  get #opened(): Session {
    if (!this.#session) {
      this.beforeUse();
      const session = this.#interface.openSession(this.#request);
      if (isPromise(session)) throw new TypeError('an interface that opens lazily must open at once');
      this.#take(session);
      if (this.#saved) controlsOf(this.#session as unknown as Session).headersSent?.();
      if (this.#detached) controlsOf(this.#session as unknown as Session).detach?.();
    }
    return this.#session as Session;
  }

  /**
   * For `req.session = value`: null ends the session, as users of cookie-session do; any other value would be lost without
   * a word, and fails the save.
   */
  replace(value: unknown): void {
    if (!this.#session) this.beforeUse();
    this.#replacement =
      value !== undefined && value === (this.#session && latestOf(this.#session)) ? undefined : { value };
    // No save follows that could end it.
    if (value === null && this.#saved) this.session.destroy();
  }

  /** Called when a handler asks for a session that was left for its first use, before it is opened. For subclasses. */
  protected beforeUse(): void {}

  /** Whether nothing has to be done for this request unless its handler uses the session; see {@link beforeUse}. */
  get isIdle(): boolean {
    return !this.#session && this.#interface.opensLazily && !this.#interface.savesUntouched(this.#request);
  }

  /** In place of `save`, where the response has begun without asking for it: what is changed is late. */
  miss(): void {
    if (this.#saved) return;
    this.#saved = true;
    if (this.#session) controlsOf(this.#session).headersSent?.();
  }

  /** The interface that this exchange is with. */
  get interface(): SessionInterface {
    return this.#interface;
  }

  /** For `req.session`: the session, or what the handler put in its place. */
  get current(): unknown {
    return this.#replacement ? this.#replacement.value : this.session;
  }

  /**
   * Before the first byte of the response; what it answers goes into the headers. Once: an error response that follows a
   * failed save has nothing to save.
   */
  save(): Awaitable<SessionEffects> {
    if (this.#saved) return NOTHING;
    this.#saved = true;
    if (this.#replacement) this.#applyReplacement(this.#replacement.value);
    if (!this.#session && !this.#interface.savesUntouched(this.#request)) return NOTHING;
    const session = this.#opened;
    prepareSave(session);
    if (this.#interface.isNullSession(session)) return NOTHING;
    controlsOf(session).headersLeaving?.();
    return chain(this.#interface.saveSession(session, this.#request), (effects) => {
      controlsOf(session).headersSent?.();
      return effects;
    });
  }

  #applyReplacement(value: unknown): void {
    // Another session interface may have put its own session there.
    if (value instanceof SessionMembers) return;
    if (value !== null && value !== undefined) {
      throw new TypeError(
        "the request's session was replaced by another value: change it with session.assign(…), end it with session.destroy()",
      );
    }
    this.session.destroy();
  }

  /** Whether the session may still be changed while the response is sent, so that its end has to wait for {@link finish}. */
  get savesLate(): boolean {
    return this.#session !== undefined && controlsOf(this.#session).settleLate !== undefined;
  }

  /** In place of all that follows `open`, where no response does: what is changed waits for `session.save()`. */
  detach(): void {
    this.#detached = true;
    if (this.#session) controlsOf(this.#session).detach?.();
  }

  /** At the end of the response: resolves when changes made after the headers are saved. Undefined: there is nothing to wait for. */
  finish(): Promise<void> | undefined {
    return this.#saved && this.#session ? controlsOf(this.#session).settleLate?.() : undefined;
  }
}
