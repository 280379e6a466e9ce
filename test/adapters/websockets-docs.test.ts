/** The snippets of the page run, and do what it says. That they compile is tested with those of all pages. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { afterAll, expect, test } from 'vitest';
import { Client } from './servers.ts';
import { SocketVisitor } from './websocket-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'dist', `websockets-page-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, 'docs/adapters/websockets.md'), 'utf8');
const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
let files = 0;

/** @returns the port that stands for 3000 */
async function run(code: string): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const file = join(folder, `snippet-${files++}.ts`);
  writeFileSync(
    file,
    code
      .replaceAll('listen(3000)', `listen(${port}, '127.0.0.1').unref()`)
      .replaceAll('embeddedStore()', `embeddedStore({ directory: ${JSON.stringify(join(folder, 'sessions'))} })`),
  );
  await import(file);
  return port;
}

const containing = (text: string): string => snippets.find((code) => code.includes(text)) as string;

test('the server does what its page says', async () => {
  const visitor = new SocketVisitor(`http://127.0.0.1:${await run(containing("app.post('/sign-in'"))}`);
  // From the console of a browser: pages with a policy that forbids it, as Express's own are, would not do.
  const page = await visitor.send('/');
  expect([page.status, page.body]).toEqual([200, 'a page']);
  const stranger = await visitor.connect();
  expect(await stranger.closed).toBe(4403);
  expect((await visitor.send('/sign-in', 'POST')).body).toBe('hello');
  const { ws, closed } = await visitor.connect();
  ws.removeAllListeners('message');
  ws.send('hello');
  expect(String((await once(ws, 'message'))[0])).toBe('Ada wrote hello, message 1');
  expect((await visitor.send('/sign-out', 'POST')).body).toBe('bye');
  expect(await closed).toBe(4401);
});

test('the server for Socket.IO does, too', async () => {
  const client = new Client(`http://127.0.0.1:${await run(containing('socketIoSessions(web)'))}`);
  await client.send('/sign-in');
  const socket = io(client.url, { extraHeaders: { cookie: client.cookie ?? '' }, reconnection: false });
  expect(await socket.emitWithAck('say', 'hello')).toBe('Ada: hello');
  const reason = new Promise((resolve) => socket.once('disconnect', resolve));
  await client.send('/sign-out');
  expect(await reason).toBe('io server disconnect');
});

const others = snippets.filter((code) => !code.includes('listen(3000)')).map((code, i) => ({ code, i }));
test.each(others)('snippet $i runs', async ({ code }) => {
  await run(code);
});

test('there are some', () => expect(others.length).toBeGreaterThan(4));
