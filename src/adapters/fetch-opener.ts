/**
 * Sessions by hand, for frameworks whose handlers do not return the final `Response`: server actions, `cookies.set(…)` of a
 * page or a remote function. What an adapter does in one piece is three steps here: open, run, save.
 */
import { lazySession, runWithSession } from '../core/context.ts';
import type { SessionEffects } from '../core/effects.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { type CookieToSet, cookiesOf } from './fetch-cookie.ts';
import { FetchRequest, type FetchRequestLike } from './fetch-request.ts';

/** What is known of a request where there is no `Request`. */
export interface RequestFacts {
  /** The text of the `Cookie` header. */
  readonly cookie: string | null | undefined;
  /** Whether the visitor used https: decides whether the cookie is `Secure`. */
  readonly secure: boolean;
}

export interface OpenerOptions {
  /** Whether `X-Forwarded-Proto` of a `Request` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
}

/** @throws SessionStoreError when the store fails, and the policy is to fail with it */
export type SessionOpener = (request: FetchRequestLike | RequestFacts) => Promise<OpenedSession>;

/** What a save has to tell the visitor. All of it belongs into the response, or the session is lost. */
export interface SavedSession extends SessionEffects {
  /** `setCookie` and `moreCookies`, taken apart for a framework that writes the header itself. Usually one, or none. */
  readonly cookies: readonly CookieToSet[];
}

/**
 * Makes a function that opens the session of a request. One for the application: it holds the configuration.
 * @param options how sessions are kept, or an interface of your own; a store has to be named, or `'cookie'`
 * @throws SessionConfigError
 */
export function sessionOpener(
  options: SessionOptions | SessionInterface,
  { trustProxy = false }: OpenerOptions = {},
): SessionOpener {
  const sessionInterface = createSessionInterface(options);
  return async (request) => {
    const facts = 'headers' in request ? new FetchRequest(request, trustProxy) : given(request);
    const exchange = new SessionExchange(sessionInterface, facts);
    await exchange.open();
    return new OpenedSession(exchange);
  };
}

function given({ cookie, secure }: RequestFacts) {
  return { cookie: cookie ?? undefined, secure };
}

export class OpenedSession {
  /** Opened when it is first used: asking for it costs nothing. */
  readonly session: Session;
  readonly #exchange: SessionExchange;

  /** @internal */
  constructor(exchange: SessionExchange) {
    this.#exchange = exchange;
    this.session = lazySession(exchange);
  }

  /** Runs a function in which the imported `session` is this one. */
  run<R>(use: () => R): R {
    return runWithSession(this.#exchange, use);
  }

  /**
   * Saves what was changed, before the response begins; once. A session that nobody used has nothing to tell. What is
   * changed later is saved in the background where the session has a record that the visitor knows of; elsewhere
   * writing throws a `SessionHeadersSentError`.
   * @throws SessionStoreError | SessionConflictError | SessionEncodeError | SessionCookieTooLargeError
   */
  async save(): Promise<SavedSession> {
    const effects = await this.#exchange.save();
    return { ...effects, cookies: cookiesOf(effects) };
  }

  /** Resolves when what was changed after `save` is saved, too. @throws as `save` */
  async finish(): Promise<void> {
    await this.#exchange.finish();
  }
}
