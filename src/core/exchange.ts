/** One request and its response, as the engine sees them. Every adapter runs its session through this, in this order. */
import type { SessionEffects } from './effects.ts';
import { controlsOf, type Session } from './session.ts';
import type { SessionInterface, SessionRequest } from './session-interface.ts';
import { type Awaitable, chain } from './store.ts';

const NOTHING: SessionEffects = {};

export class SessionExchange {
  readonly #interface: SessionInterface;
  readonly #request: SessionRequest;
  readonly #current: (() => unknown) | undefined;
  #session: Session | undefined;
  #saved = false;

  /** @param current what the framework's request holds by now in the session's place */
  constructor(sessionInterface: SessionInterface, request: SessionRequest, current?: () => unknown) {
    this.#interface = sessionInterface;
    this.#request = request;
    this.#current = current;
  }

  /** First. @throws SessionStoreError when the store fails and the policy is to fail with it */
  open(): Awaitable<Session> {
    return chain(this.#interface.openSession(this.#request), (session) => {
      this.#session = session ?? this.#interface.makeNullSession();
      return this.#session;
    });
  }

  /** Whether the response's headers have been decided. */
  get saved(): boolean {
    return this.#saved;
  }

  /**
   * Before the first byte of the response; what it answers goes into the headers. Once: an error response that follows a
   * failed save has nothing to save.
   */
  save(): Awaitable<SessionEffects> {
    const session = this.#session;
    if (this.#saved || !session || this.#interface.isNullSession(session)) return NOTHING;
    this.#saved = true;
    if (this.#current) this.#checkReplaced(session, this.#current());
    return chain(this.#interface.saveSession(session, this.#request), (effects) => {
      controlsOf(session).headersSent?.();
      return effects;
    });
  }

  /** `req.session = null` is how users of cookie-session end one; any other value would be lost without a word. */
  #checkReplaced(session: Session, current: unknown): void {
    if (current === session) return;
    if (current !== null && current !== undefined) {
      throw new TypeError(
        "the request's session was replaced by another value: change it with session.assign(…), end it with session.destroy()",
      );
    }
    session.destroy();
  }

  /** At the end of the response: resolves when changes made after the headers are saved. Undefined: there is nothing to wait for. */
  finish(): Promise<void> | undefined {
    return this.#saved && this.#session ? controlsOf(this.#session).settleLate?.() : undefined;
  }
}
