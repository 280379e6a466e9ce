/**
 * One Express application with one kind of session, in a process of its own; it tells its parent how much CPU it used.
 * `node server.ts KIND`, started by ../http.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import { sessions } from 'flacon/adapters/express';
import { MemoryStore } from 'flacon/stores/memory';
import { SqliteStore } from 'flacon/stores/sqlite';

const secret = 'a benchmark secret of more than 32 bytes';
const folder = mkdtempSync(join(tmpdir(), 'flacon-bench-'));

/** Each as its documentation advises for production, but for the stores. */
const kinds: Record<string, () => Promise<RequestHandler | undefined> | RequestHandler | undefined> = {
  bare: () => undefined,
  'express-session': async () =>
    (await import('express-session')).default({ secret, resave: false, saveUninitialized: false }),
  'cookie-session': async () =>
    (await import('cookie-session')).default({ keys: [secret] }) as unknown as RequestHandler,
  memory: () => sessions({ store: new MemoryStore() }) as RequestHandler,
  embedded: () => sessions({ store: new SqliteStore({ path: join(folder, 'sessions.db') }) }) as RequestHandler,
  'signed-cookie': () => sessions({ profile: 'flask', store: 'cookie', secretKey: secret }) as RequestHandler,
};

interface Data {
  user?: { id: number; name: string; roles: string[] };
  visits?: number;
}

const kind = process.argv[2] ?? 'bare';
const middleware = await (kinds[kind] as () => Promise<RequestHandler | undefined>)();
const app = express();
app.disable('etag');
app.disable('x-powered-by');
if (middleware) app.use(middleware);
const dataOf = (req: unknown) => (req as { session: Data }).session;

app.get('/untouched', (_req, res) => void res.end('ok'));
app.get('/read', (req, res) => void res.end(!middleware || dataOf(req).user?.id === 42 ? 'ok' : 'no'));
app.get('/login', (req, res) => {
  dataOf(req).user = { id: 42, name: 'Ann Example', roles: ['editor', 'admin'] };
  dataOf(req).visits = 1;
  res.end('ok');
});
/** A visitor who was never here, and gets a session. */
app.get('/new', (req, res) => {
  dataOf(req).visits = 1;
  res.end('ok');
});

const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
server.keepAliveTimeout = 120_000;

process.on('message', (question) => {
  if (question === 'memory') {
    globalThis.gc?.();
    process.send?.({ heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss });
  } else process.send?.({ cpu: process.cpuUsage() });
});
process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
