/** The adapter suite's application on Express 5 and 4. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import compression from 'compression';
import express from 'express';
import express4 from 'express4';
import { sessions } from 'flacon/adapters/express';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { listen } from './listen.ts';
import { nodeRequest } from './node.ts';

type Express = typeof express;

export const serveExpress = (app: AdapterApp) => serve(express, app);
export const serveExpress4 = (app: AdapterApp) => serve(express4 as unknown as Express, app);

function serve(framework: Express, app: AdapterApp): Promise<AdapterServer> {
  const outer = framework();
  outer.set('env', 'test');
  if (app.trustProxy) outer.set('trust proxy', true);
  const inner = app.mount ? framework() : outer;
  if (app.compress) inner.use(compression({ threshold: 0 }));
  const [first, second] = app.sessions;
  inner.use(sessions(first));
  if (second) inner.use(sessions(second, { property: 'second' }));
  inner.use(framework.text({ limit: '1mb' }));
  inner.use((req, res, next) => {
    const request = { ...nodeRequest(req, res, ''), path: req.path, body: async () => req.body as string };
    // Express 4 does not look at promises: a handler there calls next itself.
    app
      .handle(request)
      .then((answer) => send(answer, res))
      .catch(next);
  });
  if (app.mount) outer.use(app.mount, inner);
  return listen(outer);
}

async function send(answer: AdapterAnswer, res: express.Response): Promise<void> {
  res.status(answer.status ?? 200);
  for (const [name, value] of answer.headers ?? []) res.append(name, value);
  const { body } = answer;
  if (answer.redirect) res.redirect(answer.redirect);
  else if (answer.file) res.sendFile(answer.file);
  else if (body === undefined) res.end();
  else if (typeof body === 'string') res.type(res.get('Content-Type') ?? 'text').send(body);
  else if (body instanceof Uint8Array) res.send(Buffer.from(body));
  else await pipeline(Readable.from(body), res);
}
