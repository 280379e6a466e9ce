/** The adapter suite's application on Hono 4, served by @hono/node-server. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { Readable } from 'node:stream';
import { type HttpBindings, serve } from '@hono/node-server';
import { sessions } from 'flacon/adapters/hono';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Session, SessionInterface } from '../../../src/index.ts';
import { streamed } from './fetch.ts';

type Env = { Bindings: HttpBindings; Variables: { second: Session } };

export async function serveHono(app: AdapterApp): Promise<AdapterServer> {
  const outer = new Hono<Env>();
  const inner = app.mount ? new Hono<Env>() : outer;
  const { trustProxy } = app;
  const [first, second] = app.sessions as readonly [SessionInterface, SessionInterface?];
  if (app.compress) inner.use(compress({ threshold: 0 }));
  inner.use(sessions(first, { trustProxy }));
  if (second) inner.use(sessions(second, { trustProxy, property: 'second' }));
  inner.all('*', async (c) => {
    const answer = await app.handle({
      method: c.req.method,
      path: c.req.path.slice(app.mount.length),
      session: (name = 'session') => (name === 'second' ? c.get('second') : c.get('session')),
      body: () => c.req.text(),
      earlyHints: (link) => c.env.outgoing.writeEarlyHints({ link }),
    });
    return send(answer, c);
  });
  outer.onError((_error, c) => c.text('failed', 500));
  if (app.mount) outer.route(app.mount, inner);
  const server = serve({ fetch: outer.fetch, port: 0, hostname: '127.0.0.1' }) as Server & {
    closeAllConnections(): void;
  };
  if (!server.listening) await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(answer: AdapterAnswer, c: Context<Env>): Response {
  for (const [name, value] of answer.headers ?? []) c.header(name, value, { append: true });
  if (answer.redirect) return c.redirect(answer.redirect);
  c.status((answer.status ?? 200) as 200);
  if (answer.file) return c.body(Readable.toWeb(createReadStream(answer.file)) as ReadableStream);
  if (typeof answer.body === 'string' && !c.res.headers.has('Content-Type')) return c.text(answer.body);
  return answer.body === undefined ? c.body(null) : c.body(streamed(answer.body) as ReadableStream);
}
