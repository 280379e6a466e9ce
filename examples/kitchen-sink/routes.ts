/** Every session operation as a route, for any framework: what a request brings in, what the response is to be out. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Session, SessionHeadersSentError } from 'flacon';
import { parseJson, stringifyJson } from './json.ts';

/** A request as a framework hands it over. */
export interface SinkRequest {
  /** Asking for it is using it: `/untouched` does not. */
  readonly session: Session;
  readonly query: URLSearchParams;
  /** The body's text. */
  readonly body: string;
  /** Has the session's stored record replaced by these bytes once the response has saved it. */
  overwriteRecord(session: Session, record: Uint8Array): void;
}

/** What a framework is to answer. */
export interface SinkResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. Absent: an empty body. */
  readonly json?: unknown;
  /** In place of `json`: the text of a JSON body, sent piece by piece. */
  readonly pieces?: AsyncIterable<string>;
}

/** What it throws, other than an HttpError, is left to the framework's error handling. */
export type Route = (request: SinkRequest) => SinkResponse | Promise<SinkResponse>;

/** Flask's `abort`. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, headers: Readonly<Record<string, string>> = {}) {
    super(`HTTP ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

export function errorResponse(status: number, headers: Readonly<Record<string, string>> = {}): SinkResponse {
  return { status, headers, json: { error: status } };
}

function ok(json: unknown = { ok: true }, headers: Readonly<Record<string, string>> = {}): SinkResponse {
  return { status: 200, headers, json };
}

/** A parameter of the query that has to be there. */
function parameter({ query }: SinkRequest, name: string): string {
  const value = query.get(name);
  if (value === null) throw new HttpError(400);
  return value;
}

function number(request: SinkRequest, name: string, least: number, most: number): number {
  const value = Number(parameter(request, name));
  if (!Number.isInteger(value) || value < least || value > most) throw new HttpError(400);
  return value;
}

/** The body's JSON value. Called before the session is, so that a malformed body leaves it untouched. */
function json({ body }: SinkRequest): unknown {
  try {
    return parseJson(body);
  } catch {
    throw new HttpError(400);
  }
}

const GET: Record<string, Route> = {
  '/get': (request) => {
    const key = parameter(request, 'key');
    const { session } = request;
    return ok({ key, present: session.has(key), value: session.get(key, null) });
  },

  '/all': ({ session }) => ok({ session: new Map(session) }),

  '/flashes': ({ session }) => ok({ flashes: session.takeFlashes() }),

  '/untouched': () => ok(),

  '/sid': ({ session }) => ok({ sid: session.sid }),

  '/error': ({ session }) => {
    session.set('written_before_error', true);
    throw new Error('this view always fails');
  },

  '/abort': (request) => {
    const code = number(request, 'code', 400, 599);
    request.session.set('written_before_abort', true);
    throw new HttpError(code);
  },

  '/redirect': ({ session }) => {
    session.set('redirected', true);
    return { status: 302, headers: { Location: '/all' } };
  },

  '/vary': ({ session, query }) => {
    const vary = query.get('value') ?? 'Accept-Encoding';
    if (!/^[\x20-\x7e]*$/.test(vary)) throw new HttpError(400);
    return ok({ seen: session.has('a') }, { Vary: vary });
  },

  '/stream': ({ session }) => ({ status: 200, headers: {}, pieces: stream(session, session.get('a', null)) }),
};

async function* stream(session: Session, a: unknown): AsyncGenerator<string> {
  yield `{"a":${stringifyJson(a)},"chunks":[0`;
  await pause(10);
  try {
    session.set('written_while_streaming', true);
  } catch (error) {
    // Where the session is the cookie, and for a visitor without one, the headers have taken the last chance with them.
    if (!(error instanceof SessionHeadersSentError)) throw error;
  }
  yield ',1';
  await pause(10);
  yield ',2]}';
}

function increment(value: unknown): number | bigint {
  if (typeof value === 'bigint') return value + 1n;
  if (typeof value !== 'number' && value !== undefined && value !== null) throw new TypeError('this is no number');
  return (value ?? 0) + 1;
}

const POST: Record<string, Route> = {
  '/set': (request) => {
    const [key, value] = [parameter(request, 'key'), json(request)];
    request.session.set(key, value);
    return ok();
  },

  '/delete': (request) => ok({ deleted: request.session.delete(parameter(request, 'key')) }),

  '/clear': ({ session }) => {
    session.clear();
    return ok();
  },

  '/pop': (request) => ok({ value: request.session.pop(parameter(request, 'key'), null) }),

  '/update': (request) => {
    const values = json(request);
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new HttpError(400);
    request.session.assign(values as Record<string, unknown>);
    return ok();
  },

  '/setdefault': (request) => {
    const [key, value] = [parameter(request, 'key'), json(request)];
    return ok({ value: request.session.setDefault(key, value) });
  },

  '/permanent': (request) => {
    const value = parameter(request, 'value');
    if (value !== 'true' && value !== 'false') throw new HttpError(400);
    request.session.permanent = value === 'true';
    return ok({ permanent: request.session.permanent });
  },

  '/regenerate': ({ session }) => ok({ regenerated: session.regenerate() }),

  '/nested': ({ session, query }) => {
    const nested = session.get('nested');
    if (!Array.isArray(nested)) return ok({ ok: false });
    nested.push(nested.length);
    if (query.get('mark') === 'true') session.modified = true;
    return ok({ ok: true, nested });
  },

  '/flash': (request) => {
    const message = json(request);
    request.session.flash(message, request.query.get('category') ?? 'message');
    return ok();
  },

  '/increment': (request) => {
    const key = parameter(request, 'key');
    return ok({ value: request.session.update(key, increment) });
  },

  '/slow': async (request) => {
    const [key, value, ms] = [parameter(request, 'key'), json(request), number(request, 'ms', 0, 10_000)];
    const { session } = request;
    session.get(key);
    await pause(ms);
    session.set(key, value);
    return ok();
  },

  '/destroy': ({ session }) => {
    session.destroy();
    return ok();
  },

  '/_raw': (request) => {
    const hex = parameter(request, 'hex');
    if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new HttpError(400);
    request.overwriteRecord(request.session, Buffer.from(hex, 'hex'));
    return ok();
  },
};

export const routes: readonly { readonly method: 'GET' | 'POST'; readonly path: string; readonly route: Route }[] = [
  ...Object.entries(GET).map(([path, route]) => ({ method: 'GET' as const, path, route })),
  ...Object.entries(POST).map(([path, route]) => ({ method: 'POST' as const, path, route })),
];

/** For frameworks without a router of their own, and for what a router does not find: 404, 405, `OPTIONS`. */
export function findRoute(method: string, path: string): Route {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const known = routes.filter((candidate) => candidate.path === path);
  const found = known.find((candidate) => candidate.method === wanted);
  if (found) return found.route;
  if (known.length === 0) return () => errorResponse(404);
  const allowed = known.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]));
  const Allow = [...allowed, 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return () => ({ status: 200, headers: { Allow } });
  return () => errorResponse(405, { Allow });
}

/** Runs a route, and makes of an HttpError the answer that it stands for. */
export async function run(route: Route, request: SinkRequest): Promise<SinkResponse> {
  try {
    return await route(request);
  } catch (error) {
    if (error instanceof HttpError) return errorResponse(error.status, error.headers);
    throw error;
  }
}
