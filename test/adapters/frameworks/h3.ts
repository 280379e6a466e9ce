/** The adapter suite's application on h3 2, served by srvx. */
import { createReadStream } from 'node:fs';
import { sessions } from 'flacon/adapters/h3';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { H3, type H3Event, onResponse, redirect, writeEarlyHints } from 'h3';
import type { Session, SessionInterface } from '../../../src/index.ts';
import { serveWeb, streamed } from './fetch.ts';

export function serveH3(app: AdapterApp): Promise<AdapterServer> {
  const outer = new H3({ silent: true });
  const inner = app.mount ? new H3() : outer;
  const { trustProxy } = app;
  const [first, second] = app.sessions as readonly [SessionInterface, SessionInterface?];
  if (app.compress) inner.use(onResponse(compressed));
  inner.use(sessions(first, { trustProxy }));
  if (second) inner.use(sessions(second, { trustProxy, property: 'second' }));
  inner.all('/**', async (event) => {
    const answer = await app.handle({
      method: event.req.method,
      path: event.url.pathname.slice(app.mount.length),
      session: (name = 'session') => event.context[name] as Session,
      body: () => event.req.text(),
      earlyHints: (link) => writeEarlyHints(event, { link }) as Promise<void>,
    });
    return send(answer, event);
  });
  if (app.mount) outer.mount(app.mount, inner);
  return serveWeb(outer.fetch);
}

function send(answer: AdapterAnswer, event: H3Event): unknown {
  for (const [name, value] of answer.headers ?? []) event.res.headers.append(name, value);
  if (answer.redirect) return redirect(answer.redirect);
  event.res.status = answer.status ?? 200;
  return answer.file ? createReadStream(answer.file) : streamed(answer.body);
}

function compressed(response: Response, event: H3Event): Response {
  if (!response.body || !/\bgzip\b/.test(event.req.headers.get('accept-encoding') ?? '')) return response;
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  headers.set('content-encoding', 'gzip');
  headers.append('vary', 'Accept-Encoding');
  return new Response(response.body.pipeThrough(new CompressionStream('gzip')), { status: response.status, headers });
}
