/** h3 2, on every runtime that it runs on; so for Nitro and what is built on it. */
import type { H3Event, Middleware } from 'h3';
import { lazySession, runWithSession } from '../core/context.ts';
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { FetchRequest } from './fetch-request.ts';
import { isServed } from './fetch-served.ts';
import { discardBody, headersOf, settling } from './h3-body.ts';
import { BODY_HEADERS } from './held-response-body.ts';

declare module 'h3' {
  interface H3EventContext {
    session: Session;
  }
}

export interface H3Options {
  /** Where `event.context` has the session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: string;
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
}

/**
 * Middleware: `app.use(sessions({...}))` gives every handler below it `event.context.session`, and saves it before the
 * response begins. Errors are h3's to answer, and their answers have the session's cookie, too, unless it was the save
 * that failed.
 * @param options how sessions are kept, or an interface of your own; a store has to be named, or `'cookie'`
 * @throws SessionConfigError
 */
export function sessions(
  options: SessionOptions | SessionInterface,
  { property = 'session', trustProxy = false }: H3Options = {},
): Middleware {
  const sessionInterface = createSessionInterface(options);
  return async (event, next) => {
    if (isServed(event, property, sessionInterface)) return next();
    const exchange = new SessionExchange(sessionInterface, new FetchRequest(event.req, trustProxy));
    const opened = exchange.open();
    if (isPromise(opened)) await opened;
    event.context[property] = lazySession(exchange);
    return runWithSession(exchange, () => serve(exchange, event, next));
  };
}

async function serve(exchange: SessionExchange, event: H3Event, next: () => unknown): Promise<unknown> {
  let value: unknown;
  let thrown = false;
  try {
    value = await next();
  } catch (error) {
    value = error;
    thrown = true;
  }
  if (event.app?.config.onError && (thrown ? value !== HANDLED : value instanceof Error || value === NOT_FOUND)) {
    value = await answerByApp(value, event);
    thrown = false;
  }
  let effects: SessionEffects;
  try {
    effects = await exchange.save();
  } catch (error) {
    discardBody(value);
    clearBody(event);
    throw error;
  }
  putEffects(event, effects, headersOf(value));
  if (thrown) throw value;
  if (!isAscii(effects.setCookie)) value = await octets(value, event);
  return settling(value, exchange);
}

/** What h3's handlers return, or reject with, when there was no route, or when they answered on Node's own response. */
const NOT_FOUND = Symbol.for('h3.notFound');
const HANDLED = Symbol.for('h3.handled');

/**
 * What the application's `onError` answers. Asked here, it can still use the session; and a `Response` that it makes gets
 * the headers, which h3 would no longer put in.
 */
async function answerByApp(error: unknown, event: H3Event): Promise<Response> {
  const { toResponse } = await import('h3');
  const failed = error === NOT_FOUND ? error : Promise.reject(error);
  const { onError, silent, debug } = event.app?.config ?? {};
  return toResponse(failed, event, { ...(onError ? { onError } : {}), silent: silent ?? false, debug: debug ?? false });
}

const ASCII = /^[\0-\x7f]*$/;

function isAscii(cookie: string | undefined): boolean {
  return cookie === undefined || ASCII.test(cookie);
}

/**
 * Node writes the head of a response in the encoding of a text that comes with it, so that a cookie whose name is not ASCII
 * would be encoded twice. A `Response` of the runtime's own sends octets.
 */
async function octets(value: unknown, event: H3Event): Promise<unknown> {
  const { toResponse } = await import('h3');
  const { body, status, statusText, headers } = await toResponse(value, event);
  return new Response(body, { status, statusText, headers });
}

/** h3 takes the headers of errors and of responses with an error's status from another place than those of the others. */
function putEffects(event: H3Event, effects: SessionEffects, own: Headers | undefined): void {
  if (!effects.vary && !effects.setCookie && !effects.private) return;
  for (const headers of [event.res.headers, event.res.errHeaders]) {
    // A header that is set there replaces the answer's own.
    const now = (name: string) => headers.get(name) ?? own?.get(name) ?? undefined;
    if (effects.vary) headers.set('Vary', withVary(now('Vary')));
    if (effects.setCookie) headers.append('Set-Cookie', effects.setCookie);
    for (const cookie of effects.moreCookies ?? []) headers.append('Set-Cookie', cookie);
    if (effects.private) headers.set('Cache-Control', withPrivate(now('Cache-Control')));
  }
}

/** The error page finds no trace of the answer that was stopped. */
function clearBody({ res }: H3Event): void {
  for (const name of BODY_HEADERS) res.headers.delete(name);
  Object.assign(res, { status: undefined, statusText: undefined });
}
