/** One request to Next.js: its cookies as they are by now, and how another one is set. */
import type { SessionEffects } from '../core/effects.ts';
import type { Session } from '../core/session.ts';
import type { SessionRequest } from '../core/session-interface.ts';
import { SessionEncodeError, SessionReadOnlyError } from '../errors.ts';
import { type CookieToSet, type CookieToSetOptions, cookiesOf } from './fetch-cookie.ts';
import { FetchRequest } from './fetch-request.ts';

/** What `headers()` of `next/headers` promises, as far as it is used. */
export interface IncomingHeaders {
  get(name: string): string | null;
}

/** What `cookies()` of `next/headers` promises, as far as it is used. */
export interface CookieJar {
  set(name: string, value: string, options: CookieToSetOptions): unknown;
}

/**
 * After a server action, Next.js renders the page for the same request: what the action set counts there, whatever the
 * `Cookie` header says.
 */
export class Visit implements SessionRequest {
  /** The session that the components of a page share. */
  reading: Promise<Session> | undefined;
  readonly #request: FetchRequest;
  /** What this request made of its session cookie, as a `Cookie` header would tell it. */
  #changed: string | undefined;

  constructor(headers: IncomingHeaders, trustProxy: boolean) {
    this.#request = new FetchRequest({ headers, url: '' }, trustProxy);
  }

  get cookie(): string | undefined {
    return this.#changed ?? this.#request.cookie;
  }

  get secure(): boolean {
    return this.#request.secure;
  }

  /**
   * Has Next.js send what saving has to tell the visitor. Where it renders, it sends no cookie.
   * @param isMissed whether the visitor loses something when this cookie does not come
   * @throws SessionReadOnlyError when it was to be sent while a page is rendered, and would be missed
   * @throws SessionEncodeError for the value of an interface of one's own that Next.js would send as another one
   */
  tell(effects: SessionEffects, jar: CookieJar, isMissed: boolean): void {
    const [own, ...others] = cookiesOf(effects);
    for (const cookie of others) put(cookie, jar, false);
    // A cookie that leads to no record does no harm.
    if (!own || !put(own, jar, isMissed && !isDeletion(own))) return;
    this.#changed = isDeletion(own) ? '' : `${own.name}=${own.value}`;
  }
}

/** The same one for all that is done for a request. Next.js has one object of headers for each. */
export function visitOf(visits: WeakMap<object, Visit>, headers: IncomingHeaders, trustProxy: boolean): Visit {
  let visit = visits.get(headers);
  if (!visit) {
    visit = new Visit(headers, trustProxy);
    visits.set(headers, visit);
  }
  return visit;
}

/** @returns whether the visitor will hear of it */
function put({ name, value, options }: CookieToSet, jar: CookieJar, isMissed: boolean): boolean {
  if (encodeURIComponent(value) !== value) {
    throw new SessionEncodeError("Next.js sends cookie values percent-encoded: keep to letters, digits and -_.!~*'()");
  }
  try {
    jar.set(name, value, options);
    return true;
  } catch (cause) {
    if (!isMissed) return false;
    const error = new SessionReadOnlyError(
      'the session needs a cookie, and Next.js sends none while it renders: change it in a server action or a route handler',
    );
    error.cause = cause;
    throw error;
  }
}

function isDeletion({ options }: CookieToSet): boolean {
  return options.maxAge === 0;
}
