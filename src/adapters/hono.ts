/** Hono 4, on every runtime that it runs on. */
import type { Context, MiddlewareHandler } from 'hono';
import { lazySession, runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { FetchRequest } from './fetch-request.ts';
import { saveInto } from './fetch-response.ts';
import { isServed } from './fetch-served.ts';
import { BODY_HEADERS } from './held-response-body.ts';

/** For `new Hono<{ Variables: SessionVariables }>()`; with {@link ContextVariableMap}, an application needs not say it. */
export type SessionVariables<Name extends string = 'session'> = { readonly [K in Name]: Session };

declare module 'hono' {
  interface ContextVariableMap {
    session: Session;
  }
}

export interface HonoOptions<Name extends string = 'session'> {
  /** The variable of the context that is the session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: Name;
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
}

/**
 * Middleware: `app.use(sessions({...}))` gives every handler below it `c.get('session')` and `c.var.session`, and saves it
 * before the response begins. What fails goes to `app.onError`, whose answer has the session's cookie, too, unless it was the
 * save that failed.
 * @param options how sessions are kept, or an interface of your own; a store has to be named, or `'cookie'`
 * @throws SessionConfigError
 */
export function sessions<Name extends string = 'session'>(
  options: SessionOptions | SessionInterface,
  { property = 'session' as Name, trustProxy = false }: HonoOptions<Name> = {},
): MiddlewareHandler<{ Variables: SessionVariables<Name> }> {
  const sessionInterface = createSessionInterface(options);
  return async (c, next) => {
    if (isServed(c, property, sessionInterface)) return next();
    const exchange = new SessionExchange(sessionInterface, new FetchRequest(c.req.raw, trustProxy));
    const opened = exchange.open();
    if (isPromise(opened)) await opened;
    (c as Context).set(property, lazySession(exchange));
    // Answers of `app.onError` and `app.notFound` are made in there, too.
    await runWithSession(exchange, next);
    const answer = c.res;
    try {
      replace(c, await saveInto(answer, exchange));
    } catch (error) {
      replace(c, new Response(null, { headers: withoutBody(answer.headers) }));
      throw error;
    }
  };
}

/** Hono copies the former response's headers over those of a new one, unless there is none for a moment. */
function replace(c: Pick<Context, 'res'>, response: Response): void {
  if (response === c.res) return;
  c.res = undefined as never;
  c.res = response;
}

/** Hono puts them on the error page: they must not describe the answer that was stopped. */
function withoutBody(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of BODY_HEADERS) kept.delete(name);
  return kept;
}
