/**
 * The sessions of one request to Elysia. Its handlers ask for them in hooks, inside of the scope that the plugin was used in;
 * the response is seen, and the imported `session` is set, around the whole of it.
 */
import { runWithSession, type SessionHolder } from '../core/context.ts';
import type { SessionExchange } from '../core/exchange.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { type Awaitable, isPromise } from '../core/store.ts';
import { SessionConfigError, SessionContextError } from '../errors.ts';
import { saveInto } from './fetch-response.ts';
import { BODY_HEADERS } from './held-response-body.ts';

/** What `aot` has to be, in errors. */
export const AOT = 'true (its default): without it, Elysia leaves out what is around a request';

/** The part of an Elysia instance that is used. */
export interface ElysiaApp {
  readonly config: { readonly aot?: boolean };
  readonly event: { readonly error?: readonly unknown[] };
  /** The instance that uses this one. */
  getParent(): ElysiaApp | null;
  wrap(around: typeof withSessions): ElysiaApp;
  derive(hook: (context: ElysiaContext) => Awaitable<object>): ElysiaApp;
  handleError(context: ElysiaContext, error: unknown): Awaitable<Response>;
}

export interface ElysiaContext {
  readonly request: Request;
  readonly set: { headers: Record<string, unknown> | Headers; status?: number | string };
}

type Fetch = (request: Request, ...rest: unknown[]) => Awaitable<Response | undefined>;

const requests = new WeakMap<Request, RequestSessions>();

/**
 * For `app.wrap`. The same for all: several of them around a request are as good as one, which is also what Elysia makes of
 * them when one instance uses another.
 */
export function withSessions(fetch: Fetch, request: Request): Fetch {
  if (requests.has(request)) return fetch;
  const sessions = new RequestSessions();
  requests.set(request, sessions);
  return (...args) => runWithSession(sessions, () => sessions.answer(fetch(...args)));
}

/** @throws SessionConfigError where Elysia serves without the wrapper */
export function requestSessions(context: ElysiaContext, app: ElysiaApp): RequestSessions {
  const sessions = requests.get(context.request);
  if (!sessions) throw new SessionConfigError('aot', 'false in an instance above', AOT);
  sessions.context = context;
  sessions.app = app;
  return sessions;
}

class RequestSessions implements SessionHolder {
  context: ElysiaContext | undefined;
  /** The instance that used the plugin last. */
  app: ElysiaApp | undefined;
  readonly #exchanges = new Map<string, SessionExchange>();
  #latest: SessionExchange | undefined;

  /** The session that was set up last. @throws SessionContextError outside of the plugin's scope */
  get session(): Session {
    if (!this.#latest) throw new SessionContextError();
    return this.#latest.session;
  }

  has(name: string, sessionInterface: SessionInterface): boolean {
    return this.#exchanges.get(name)?.interface === sessionInterface;
  }

  /** One that could be opened: what is not here is not saved. */
  add(name: string, exchange: SessionExchange): void {
    this.#exchanges.set(name, exchange);
    this.#latest = exchange;
  }

  /** The response with what all of them have to say. */
  answer(response: Awaitable<Response | undefined>): Awaitable<Response | undefined> {
    if (isPromise(response)) return response.then((resolved) => this.answer(resolved));
    return this.#exchanges.size === 0 ? response : this.#save(response);
  }

  async #save(response: Response | undefined): Promise<Response | undefined> {
    // The latest first: its context is the innermost.
    for (const exchange of [...this.#exchanges.values()].reverse()) {
      try {
        // No response: an upgraded request of Bun.
        if (response) response = await saveInto(response, exchange);
        else await exchange.save();
      } catch (error) {
        response = await this.#fail(error);
      }
    }
    return response;
  }

  async #fail(error: unknown): Promise<Response> {
    const { app, context } = this;
    if (!app || !context) throw error;
    clear(context);
    return answering(app).handleError(context, error);
  }
}

/** The nearest instance with an `onError`. */
function answering(app: ElysiaApp): ElysiaApp {
  const seen = new Set<ElysiaApp>();
  for (let next: ElysiaApp | null = app; next && !seen.has(next); next = next.getParent()) {
    if (next.event.error?.length) return next;
    seen.add(next);
  }
  return app;
}

/** The error page finds no trace of the answer that was stopped. */
function clear(context: ElysiaContext): void {
  const { set } = context;
  const entries = set.headers instanceof Headers ? [...set.headers] : Object.entries(set.headers);
  const headers: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    // A list of Set-Cookie comes one by one out of Headers.
    if (!BODY_HEADERS.includes(key)) headers[key] = key in headers ? [headers[key], value].flat() : value;
  }
  set.headers = headers;
  set.status = 500;
  Object.assign(context, { response: undefined, responseValue: undefined, code: undefined, error: undefined });
}
