/** The adapter suite's application on Elysia 1, served by srvx. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type AnyElysia, Elysia } from 'elysia';
import { sessions } from 'flacon/adapters/elysia';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import type { ServerRequest } from 'srvx';
import type { Session, SessionInterface } from '../../../src/index.ts';
import { pathOf, serveWeb, streamed } from './fetch.ts';

interface Context {
  readonly request: Request;
  readonly set: { headers: Record<string, unknown>; status?: number | string };
  readonly session: Session;
  readonly second?: Session;
}

export function serveElysia(app: AdapterApp): Promise<AdapterServer> {
  const { trustProxy } = app;
  const [first, second] = app.sessions as readonly [SessionInterface, SessionInterface?];
  const inner: AnyElysia = new Elysia({ prefix: app.mount }).use(sessions(first, { trustProxy }));
  if (second) inner.use(sessions(second, { trustProxy, property: 'second' }));
  const handle = async (context: Context) => {
    const { request, set } = context;
    const answer = await app.handle({
      method: request.method,
      path: pathOf(request).slice(app.mount.length),
      session: (name = 'session') => context[name] as Session,
      body: () => request.text(),
      earlyHints: (link) => (request as ServerRequest).runtime?.node?.res?.writeEarlyHints({ link }),
    });
    return send(answer, set);
  };
  inner.all('/', handle as never, { parse: 'none' }).all('/*', handle as never, { parse: 'none' });
  const outer = new Elysia().use(inner);
  if (app.compress) outer.wrap((fetch) => compressed(fetch as unknown as Fetch));
  return serveWeb((request) => outer.fetch(request));
}

function send(answer: AdapterAnswer, set: Context['set']): unknown {
  for (const [name, value] of answer.headers ?? []) {
    const key = name.toLowerCase();
    set.headers[key] = key in set.headers ? [set.headers[key], value].flat() : value;
  }
  if (answer.redirect) {
    // Its own redirect() is that of the runtime, and Node's takes no relative place.
    return new Response(null, { status: 302, headers: { location: answer.redirect } });
  }
  set.status = answer.status ?? 200;
  // An empty text is what it makes of nothing: Node takes none with 204 and 304.
  if (answer.body === undefined && !answer.file) return new Response(null, { status: set.status as number });
  if (answer.file) return new Response(Readable.toWeb(createReadStream(answer.file)) as ReadableStream);
  const body = streamed(answer.body);
  // Elysia ends its own streams without a word when they fail.
  return body instanceof ReadableStream ? new Response(body) : body;
}

type Fetch = (request: Request) => Response | Promise<Response>;

function compressed(fetch: Fetch): Fetch {
  return async (request) => {
    const response = await fetch(request);
    if (!response.body || !/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return response;
    const headers = new Headers(response.headers);
    headers.set('content-encoding', 'gzip');
    headers.append('vary', 'Accept-Encoding');
    return new Response(response.body.pipeThrough(new CompressionStream('gzip')), { status: response.status, headers });
  };
}
