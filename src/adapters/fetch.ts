/** The Fetch API: `(Request) => Response`, as in srvx, Bun, Deno, workerd, and the handlers of frameworks built on it. */
import { lazySession, runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { type Awaitable, isPromise } from '../core/store.ts';
import { FetchRequest } from './fetch-request.ts';
import { saveInto } from './fetch-response.ts';

export type { CookieToSet, CookieToSetOptions } from './fetch-cookie.ts';
export {
  OpenedSession,
  type OpenerOptions,
  type RequestFacts,
  type SavedSession,
  type SessionOpener,
  sessionOpener,
} from './fetch-opener.ts';

export interface FetchOptions {
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Answers a request whose handler or session failed. Default: prints the error, and answers a bare 500. */
  readonly onError?: (error: unknown, request: Request) => Awaitable<Response>;
}

/**
 * What it throws, or rejects with, goes to {@link FetchOptions.onError}; a `Response` that it throws is its answer. Undefined
 * is passed on (a request that Bun's server upgraded): then no cookie reaches the visitor.
 */
export type FetchHandler<R extends Request, Rest extends unknown[], A extends Response | undefined> = (
  request: R,
  session: Session,
  ...rest: Rest
) => Awaitable<A>;

/** Gives handlers a session. Whatever the server passes beside the request (a context, an environment) comes after it. */
export type WithSession = <
  Rest extends unknown[] = [],
  R extends Request = Request,
  A extends Response | undefined = Response,
>(
  handler: FetchHandler<R, Rest, A>,
) => (request: R, ...rest: Rest) => Promise<A | Response>;

/**
 * `export default { fetch: sessions({...})((request, session) => new Response(…)) }`: the handler gets the session, which
 * is saved before the response begins.
 * @param options how sessions are kept, or an interface of your own; a store has to be named, or `'cookie'`
 * @throws SessionConfigError
 */
export function sessions(
  options: SessionOptions | SessionInterface,
  { trustProxy = false, onError = answer500 }: FetchOptions = {},
): WithSession {
  const sessionInterface = createSessionInterface(options);
  return (handler) =>
    async (request, ...rest) => {
      const exchange = new SessionExchange(sessionInterface, new FetchRequest(request, trustProxy));
      const fail = (error: unknown): Awaitable<Response> => (isResponse(error) ? error : onError(error, request));
      try {
        const opened = exchange.open();
        if (isPromise(opened)) await opened;
      } catch (error) {
        return fail(error);
      }
      const response = await runWithSession(exchange, async () => {
        try {
          return await handler(request, lazySession(exchange), ...rest);
        } catch (error) {
          return fail(error);
        }
      });
      try {
        if (response) return await saveInto(response, exchange);
        await exchange.save();
        return response;
      } catch (error) {
        return fail(error);
      }
    };
}

/** That of another realm, too. */
function isResponse(value: unknown): value is Response {
  return value instanceof Response || Object.prototype.toString.call(value) === '[object Response]';
}

function answer500(error: unknown): Response {
  // biome-ignore lint/suspicious/noConsole: the one log that every runtime has
  console.error(error);
  return new Response('Internal Server Error\n', {
    status: 500,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
}
