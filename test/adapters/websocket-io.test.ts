/** Sessions of Socket.IO: real servers, real clients, each of its transports. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { watchersOf } from '../../src/core/watchers.ts';
import { Client, stores } from './servers.ts';
import { type IoServer, open, startIo, type Transport } from './websocket-io-server.ts';
import { elsewhere } from './websocket-server.ts';

const running: IoServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(...args: Parameters<typeof startIo>): Promise<IoServer> {
  const server = await startIo(...args);
  running.push(server);
  return server;
}

async function signedIn(server: IoServer): Promise<Client> {
  const client = new Client(server.url);
  await client.send('/login');
  return client;
}

const transports: Transport[] = ['polling', 'websocket', 'polling, then websocket'];

describe.each(['synchronous', 'asynchronous'] as const)('on a store that is %s', (kind) => {
  test.each(transports)('over %s: reads, sees what HTTP changed, saves', async (transport) => {
    const client = await signedIn(await start({ store: stores()[kind] }));
    const socket = await open(client, transport);
    expect(await socket.emitWithAck('run', 0)).toEqual({ user: 'ada' });
    await client.send('/count');
    expect(await socket.emitWithAck('run', 0)).toEqual({ user: 'ada', both: 1 });
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 ? client.send('/count') : socket.emitWithAck('count', 0))),
    );
    expect(JSON.parse((await client.send('/')).body)).toEqual({ user: 'ada', both: 11 });
  });

  test.each(transports)('over %s: a logout disconnects, after a last word', async (transport) => {
    const store = stores()[kind];
    const server = await start({ store }, { checkEvery: 0 });
    const client = await signedIn(server);
    const socket = await open(client, transport);
    await socket.emitWithAck('run', 0);
    const over = new Promise((resolve) => socket.once('over', resolve));
    const reason = new Promise((resolve) => socket.once('disconnect', resolve));
    await client.send('/logout');
    await over;
    expect(await reason).toBe('io server disconnect');
    expect(watchersOf(store).isEmpty).toBe(true);
  });

  test('a logout in another process disconnects at the next look', async () => {
    const store = stores()[kind];
    const client = await signedIn(await start({ store }, { checkEvery: 0.05 }));
    const socket = await open(client, 'websocket');
    const reason = new Promise((resolve) => socket.once('disconnect', resolve));
    const other = new Client((await start({ store: elsewhere(store) })).url);
    other.cookie = client.cookie;
    await other.send('/logout');
    expect(await reason).toBe('io server disconnect');
  });

  test('nothing is left to watch, whether a socket left, broke, or was refused by a later middleware', async () => {
    const store = stores()[kind];
    const server = await start({ store }, { checkEvery: 0.01 });
    const client = await signedIn(server);
    const left = await open(client, 'websocket');
    const broke = await open(client, 'polling');
    await expect(open(client, 'websocket', '/private')).rejects.toThrow('no');
    expect(watchersOf(store).isEmpty).toBe(false);
    left.disconnect();
    broke.io.engine.close();
    await vi.waitFor(() => expect(watchersOf(store).isEmpty).toBe(true));
  });

  test.each(transports)(
    'over %s: io.engine.use with the middleware shows the session as the handshake found it',
    async (transport) => {
      const client = await signedIn(await start({ store: stores()[kind] }, { engine: true }));
      const socket = await open(client, transport);
      expect(await socket.emitWithAck('run', 0)).toEqual({ user: 'ada' });
      await client.send('/count');
      expect(await socket.emitWithAck('run', 0)).toEqual({ user: 'ada' });
      expect(await socket.emitWithAck('reload', 0)).toEqual({ user: 'ada', both: 1 });
      await client.send('/count');
      await socket.emitWithAck('count', 0);
      expect(JSON.parse((await client.send('/')).body)).toEqual({ user: 'ada', both: 3 });
    },
  );
});

test('a page of another site is refused, and no failure is told', async () => {
  const server = await start({ store: stores().synchronous });
  const client = await signedIn(server);
  await expect(open(client, 'websocket', '', { origin: 'https://evil.example' })).rejects.toThrow('Origin');
  expect(server.refused).toEqual([]);
  await open(client, 'websocket', '', { origin: server.url });
});

test('a store that is out of order refuses, without a word to the client of what failed', async () => {
  const { synchronous } = stores();
  let out = false;
  const store = {
    ...elsewhere(synchronous),
    read: (key: string) => {
      if (out) throw new Error('connect ECONNREFUSED 192.0.2.1');
      return synchronous.read(key);
    },
  };
  const server = await start({ store });
  const client = await signedIn(server);
  out = true;
  await expect(open(client, 'websocket')).rejects.toThrow(/^the session is unavailable$/);
  expect(server.refused).toMatchObject([{ code: 'ERR_SESSION_STORE' }]);
});

test('a socket that did not come through the middleware has no session to ask for', async () => {
  const { socketIoSessions } = await import('flacon/adapters/socket-io');
  const server = await start({ store: stores().synchronous });
  await open(await signedIn(server), 'websocket');
  const [socket] = await server.io.fetchSockets();
  const another = socketIoSessions({ store: stores().synchronous });
  expect(() => another.of(server.io.sockets.sockets.get(socket?.id as string) as never)).toThrow(TypeError);
  expect(socket?.data).toEqual({});
});
