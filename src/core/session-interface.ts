/** Flask's seam: how a session comes out of a request and goes into a response. Replace it to keep sessions your own way. */
import { type CookieAttributes, CookieWriter, readCookie } from './cookie.ts';
import type { SessionEffects } from './effects.ts';
import { endOf, recordedExpiry } from './expiry.ts';
import { NullSession } from './null-session.ts';
import type { Session, SessionMembers } from './session.ts';
import type { Awaitable } from './store.ts';

/** What an interface may know of a request. */
export interface SessionRequest {
  /** The `Cookie` header's text, its bytes read as Latin-1 (as Node gives it). */
  readonly cookie: string | undefined;
  /** Whether the framework takes the request as made over https, trusted proxies included. */
  readonly secure: boolean;
}

export interface SessionInterfaceOptions {
  /** Defaults: name `session`, path `/`, HttpOnly. */
  readonly cookie?: CookieAttributes;
  /** What a deletion of the cookie carries: `all` its attributes (default), or those that are `needed` for it to work. */
  readonly deletionAttributes?: 'all' | 'needed';
  /** How long a permanent session lasts, in seconds. Default: 31 days (Flask's PERMANENT_SESSION_LIFETIME). */
  readonly lifetime?: number;
  /** Whether the cookie of a permanent session is sent with every response (Flask's SESSION_REFRESH_EACH_REQUEST). */
  readonly refreshEachRequest?: boolean;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Flask's `SessionInterface`. A subclass writes `openSession` and `saveSession`; everything else has a useful default.
 * Either may answer at once or with a promise.
 */
export abstract class SessionInterface {
  readonly lifetime: number;
  readonly refreshEachRequest: boolean;
  readonly now: () => number;
  readonly #cookie: CookieWriter;
  readonly #wireName: string | undefined;

  /** @throws SessionConfigError when the cookie's attributes cannot work */
  constructor(options: SessionInterfaceOptions = {}) {
    this.lifetime = options.lifetime ?? 31 * 86_400;
    this.refreshEachRequest = options.refreshEachRequest ?? true;
    this.now = options.now ?? Date.now;
    const { name = 'session' } = options.cookie ?? {};
    const wireName = String.fromCharCode(...new TextEncoder().encode(name));
    this.#wireName = wireName === name ? undefined : wireName;
    this.#cookie = new CookieWriter(
      { name: 'session', httpOnly: true, path: '/', ...options.cookie },
      options.deletionAttributes,
    );
  }

  /** The session of a request; null when there can be none, and the null session is used. Never throws for what a client sent. */
  abstract openSession(request: SessionRequest): Awaitable<Session | null>;

  /**
   * Saves before the response begins and tells what the response must carry. Called once for every response, errors
   * included, unless the session is a null session.
   */
  abstract saveSession(session: Session, request: SessionRequest): Awaitable<SessionEffects>;

  /**
   * Whether `openSession` answers at once, from the request alone: it is then called when the session is first used, and
   * not at all for a request that does not use one. Default false.
   */
  get opensLazily(): boolean {
    return false;
  }

  /** Whether a session that was not used is opened and saved all the same, to refresh it. Asked when opening is lazy. */
  savesUntouched(_request: SessionRequest): boolean {
    return true;
  }

  /** Empty and read-only: what a request gets when `openSession` answered null. */
  makeNullSession(): Session {
    return new NullSession(
      'the session is unavailable because no secret key was set: set `secretKey` (Flask: SECRET_KEY)',
    );
  }

  isNullSession(session: SessionMembers): boolean {
    return session instanceof NullSession;
  }

  /**
   * When the cookie is to expire, in milliseconds since 1970: with the session's own end, or with its lifetime; undefined with
   * the browser's session (not permanent).
   */
  expirationTime(session: Session): number | undefined {
    if (!session.permanent) return undefined;
    const own = recordedExpiry(session);
    return own ? endOf(own, this.now()) : this.now() + this.lifetime * 1000;
  }

  /** Flask's rule: a change sends the cookie, and so does every response of a permanent session that is refreshed. */
  shouldSetCookie(session: Session): boolean {
    return session.modified || (this.refreshEachRequest && session.permanent);
  }

  get cookieName(): string {
    return this.#cookie.name;
  }

  /** The value of this interface's cookie, undefined when the request has none. */
  readCookie(request: SessionRequest): string | undefined {
    const value = readCookie(request.cookie, this.#cookie.name);
    // A name outside of ASCII comes back as the bytes that were sent, which headers show as Latin-1.
    return value ?? (this.#wireName === undefined ? undefined : readCookie(request.cookie, this.#wireName));
  }

  /**
   * @param expiresAt milliseconds since 1970; undefined: the cookie ends with the browser's session
   * @throws SessionCookieTooLargeError
   */
  setCookie(value: string, expiresAt: number | undefined, request: SessionRequest): SessionEffects {
    return { setCookie: this.#cookie.set(value, expiresAt, request.secure), vary: true };
  }

  /** Deletes the cookie, with the attributes it was set with. */
  clearCookie(request: SessionRequest): SessionEffects {
    return { setCookie: this.#cookie.clear(request.secure), vary: true };
  }
}
