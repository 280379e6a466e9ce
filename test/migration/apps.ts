/** The same application before and after: on express-session or @fastify/session, and on flacon. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastifyCookie from '@fastify/cookie';
import fastifySession, { type FastifySessionOptions } from '@fastify/session';
import express from 'express';
import session from 'express-session';
import fastify from 'fastify';
import type { SessionEvent, SessionInterface } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { Visitor } from '../examples/visitor.ts';

export interface Site {
  readonly url: string;
  visitor(): Visitor;
  close(): Promise<void>;
}

const closers: (() => Promise<void>)[] = [];

/** For `afterAll`. */
export async function closeSites(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

export async function serve(listener: RequestListener): Promise<Site> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  closers.push(close);
  return { url, visitor: () => new Visitor(url), close };
}

/** What the routes need of a session, whosever it is. */
type Data = Record<string, unknown>;

function routes(app: express.Express, data: (req: express.Request) => Data, end: (req: express.Request) => void) {
  app.get('/put/:key/:value', (req, res) => {
    data(req)[String(req.params.key)] = req.params.value;
    res.send('put');
  });
  app.get('/login/:user', (req, res) => {
    // As passport keeps it.
    data(req).passport = { user: req.params.user };
    res.send('in');
  });
  app.post('/import', express.json(), (req, res) => {
    for (const [key, value] of Object.entries(req.body as Data)) {
      Object.defineProperty(data(req), key, { value, writable: true, enumerable: true, configurable: true });
    }
    res.send('imported');
  });
  app.get('/me', (req, res) => {
    const { cookie: _, _permanent: __, ...rest } = JSON.parse(JSON.stringify(data(req)));
    res.json(rest);
  });
  app.get('/unused', (_req, res) => {
    res.send('public');
  });
  app.get('/logout', (req, res) => {
    end(req);
    res.send('out');
  });
  // Errors are the tests' to see in the answer, not in the output.
  app.use(((error, _req, res, _next) => {
    res.status(500).send((error as { code?: string }).code ?? String(error));
  }) satisfies express.ErrorRequestHandler);
}

export function expressApp(options: session.SessionOptions): express.Express {
  const app = express();
  app.set('env', 'test');
  app.use(session({ resave: false, saveUninitialized: false, ...options }));
  routes(
    app,
    (req) => req.session as unknown as Data,
    (req) => req.session.destroy(() => {}),
  );
  return app;
}

export function flaconApp(sessionInterface: SessionInterface): express.Express {
  const app = express();
  app.set('env', 'test');
  app.use(sessions(sessionInterface));
  const own = (req: express.Request) => (req as unknown as { session: SessionLike }).session;
  app.get('/sid', (req, res) => {
    res.json({ sid: own(req).sid, isNew: own(req).isNew, permanent: own(req).permanent });
  });
  app.get('/renew', (req, res) => {
    own(req).regenerate();
    res.send('renewed');
  });
  app.get('/messages', (req, res) => {
    res.json(own(req).takeFlashes());
  });
  app.get('/expire', (req, res) => {
    own(req).setExpiry(-1);
    res.send('expired');
  });
  app.get('/empty', (req, res) => {
    own(req).clear();
    res.send('emptied');
  });
  routes(
    app,
    (req) => own(req) as unknown as Data,
    (req) => own(req).destroy(),
  );
  return app;
}

interface SessionLike {
  sid: string | null;
  isNew: boolean;
  permanent: boolean;
  regenerate(): boolean;
  setExpiry(value: number): void;
  clear(): void;
  takeFlashes(): [string, unknown][];
  destroy(): void;
}

/** @fastify/session sends no cookie over http unless `secure` is false. */
export async function fastifySite(options: FastifySessionOptions): Promise<Site> {
  const app = fastify();
  await app.register(fastifyCookie);
  await app.register(fastifySession, options);
  app.get<{ Params: { key: string; value: string } }>('/put/:key/:value', async (req) => {
    (req.session as unknown as Data)[req.params.key] = req.params.value;
    return 'put';
  });
  app.get<{ Params: { user: string } }>('/login/:user', async (req) => {
    (req.session as unknown as Data).passport = { user: req.params.user };
    return 'in';
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const close = () => app.close();
  closers.push(close);
  return { url, visitor: () => new Visitor(url), close };
}

/** Collects events; `types` without what is of no interest. */
export class Events {
  readonly all: SessionEvent[] = [];
  readonly listener = (event: SessionEvent): void => {
    this.all.push(event);
  };
  get types(): string[] {
    return this.all.map((event) => (event.type === 'not-resumed' ? `${event.type} ${event.reason}` : event.type));
  }
  count(type: SessionEvent['type']): number {
    return this.all.filter((event) => event.type === type).length;
  }
}
