/** The Fetch API: `(Request) => Response`, as in srvx, Bun, Deno, workerd, and the handlers of frameworks built on it. */
import { lazySession, runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import type { Awaitable } from '../core/store.ts';
import { FetchRequest } from './fetch-request.ts';
import { saveInto } from './fetch-response.ts';

export interface FetchOptions {
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Answers a request whose handler or session failed. Default: prints the error, and answers a bare 500. */
  readonly onError?: (error: unknown, request: Request) => Awaitable<Response>;
}

/** What it throws, or rejects with, goes to {@link FetchOptions.onError}; a `Response` that it throws is its answer. */
export type FetchHandler<R extends Request, Rest extends unknown[]> = (
  request: R,
  session: Session,
  ...rest: Rest
) => Awaitable<Response>;

/** Gives handlers a session. Whatever the server passes beside the request (a context, an environment) comes after it. */
export type WithSession = <Rest extends unknown[] = [], R extends Request = Request>(
  handler: FetchHandler<R, Rest>,
) => (request: R, ...rest: Rest) => Promise<Response>;

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
      let response: Response;
      try {
        await exchange.open();
        response = await runWithSession(exchange, () => handler(request, lazySession(exchange), ...rest));
      } catch (error) {
        response = await fail(error);
      }
      try {
        return await saveInto(response, exchange);
      } catch (error) {
        return await fail(error);
      }
    };
}

/** Frameworks bring their own class of it, and of it from another realm. */
function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'body' in value;
}

function answer500(error: unknown): Response {
  // biome-ignore lint/suspicious/noConsole: the one log that every runtime has
  console.error(error);
  return new Response('Internal Server Error\n', {
    status: 500,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
}
