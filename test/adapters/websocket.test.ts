/** Sessions of WebSockets: real servers, real clients, HTTP and sockets over one store. */
import { connect } from 'node:net';
import { hasSession, session as imported, type SessionStore } from 'flacon';
import type { SocketSession } from 'flacon/adapters/ws';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { watchersOf } from '../../src/core/watchers.ts';
import { stores } from './servers.ts';
import {
  elsewhere,
  type SocketServer,
  type SocketServerOptions,
  SocketVisitor,
  startSockets,
} from './websocket-server.ts';

const running: SocketServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(...args: Parameters<typeof startSockets>): Promise<SocketServer> {
  const server = await startSockets(...args);
  running.push(server);
  return server;
}

async function signedIn(server: SocketServer): Promise<SocketVisitor> {
  const visitor = new SocketVisitor(server.url);
  await visitor.send('/login');
  return visitor;
}

/** What a message does, by its text. */
const messages: Record<string, (visitor: SocketSession) => unknown> = {
  read: ({ session }) => session.toJSON(),
  reload: async (visitor) => {
    await visitor.reload();
    return visitor.session.toJSON();
  },
  set: ({ session }) => session.set('socket', 'yes').toJSON(),
  save: (visitor) => visitor.save(),
  run: (visitor) => visitor.run((session) => session.toJSON()),
  count: (visitor) => visitor.run((session) => session.update('socket', (n: number | undefined = 0) => n + 1)),
  both: (visitor) => visitor.run((session) => session.update('both', (n: number | undefined = 0) => n + 1)),
  imported: (visitor) =>
    visitor.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return imported.get('user');
    }),
  outside: () => hasSession(),
  throw: (visitor) =>
    visitor.run((session) => {
      session.set('half', 'done');
      throw new Error('failed');
    }),
  renew: (visitor) => visitor.run((session) => session.regenerate()),
};
const onMessage: NonNullable<SocketServerOptions['onMessage']> = (visitor, text) => messages[text]?.(visitor);

describe.each(['synchronous', 'asynchronous'] as const)('on a store that is %s', (kind) => {
  const started = (options: SocketServerOptions = {}, store: SessionStore = stores()[kind]) =>
    start({ store }, { onMessage, ...options });

  test('the session of the upgrade request is there, as argument and as the imported session', async () => {
    const visitor = await signedIn(await started());
    const socket = await visitor.connect();
    expect(await socket.ask('read')).toEqual({ user: 'ada' });
    expect(await socket.ask('run')).toEqual({ user: 'ada' });
    expect(await socket.ask('imported')).toBe('ada');
    expect(await socket.ask('outside')).toBe(false);
  });

  test('what HTTP changed is seen by the next run, and by session after reload', async () => {
    const visitor = await signedIn(await started());
    const socket = await visitor.connect();
    await visitor.send('/count');
    expect(await socket.ask('run')).toEqual({ user: 'ada', http: 1 });
    expect(await socket.ask('read')).toEqual({ user: 'ada' });
    expect(await socket.ask('reload')).toEqual({ user: 'ada', http: 1 });
    expect(await socket.ask('read')).toEqual({ user: 'ada', http: 1 });
  });

  test('what a socket changed is seen by HTTP once it is saved, and not before', async () => {
    const visitor = await signedIn(await started());
    const socket = await visitor.connect();
    await socket.ask('count');
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada', socket: 1 });
    await socket.ask('set');
    expect(JSON.parse((await visitor.send('/show')).body)).toMatchObject({ socket: 1 });
    await socket.ask('save');
    expect(JSON.parse((await visitor.send('/show')).body)).toMatchObject({ socket: 'yes' });
  });

  test('each message sees what the one before it wrote', async () => {
    const socket = await (await signedIn(await started())).connect();
    const counts = await Promise.all(Array.from({ length: 20 }, () => socket.ask('count')));
    expect(counts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test('a run inside of a run is a part of it, and one that it leaves behind is not', async () => {
    const server = await started();
    const visitor = await signedIn(server);
    await visitor.connect();
    const [opened] = server.visitors;
    let later: Promise<unknown> | undefined;
    await opened?.run(async (outer) => {
      await opened.run((inner) => expect(inner).toBe(outer));
      outer.set('outer', 1);
      later = new Promise((resolve) => setTimeout(resolve, 20)).then(() => opened.run((own) => own.set('later', 1)));
    });
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada', outer: 1 });
    await later;
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada', outer: 1, later: 1 });
  });

  test('a message that fails saves nothing, and does not hold up the next one', async () => {
    const visitor = await signedIn(await started());
    const socket = await visitor.connect();
    expect(await socket.ask('throw')).toEqual({ code: 'Error: failed' });
    expect(await socket.ask('imported')).toBe('ada');
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada' });
  });

  test('parallel writes over HTTP and two sockets all count', async () => {
    const visitor = await signedIn(await started());
    const sockets = [await visitor.connect(), await visitor.connect()];
    await Promise.all([
      ...Array.from({ length: 20 }, () => visitor.send('/both')),
      ...sockets.flatMap((socket) => Array.from({ length: 20 }, () => socket.ask('both'))),
      ...Array.from({ length: 5 }, () => visitor.send('/count')),
      ...Array.from({ length: 5 }, () => sockets[0]?.ask('count')),
    ]);
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada', both: 60, http: 5, socket: 5 });
  });

  test.each(['/logout', '/renew'])(
    'after %s in the same process the socket is closed, with no look at the store',
    async (path) => {
      const server = await started({ checkEvery: 0 });
      const visitor = await signedIn(server);
      const socket = await visitor.connect();
      const other = await (await signedIn(server)).connect();
      await visitor.send(path);
      expect(await socket.closed).toBe(4401);
      expect(server.visitors[0]?.revoked.reason).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      await expect(server.visitors[0]?.run(() => 'handled')).rejects.toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      await expect(server.visitors[0]?.save()).rejects.toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      await expect(server.visitors[0]?.reload()).rejects.toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      expect(await other.ask('read')).toEqual({ user: 'ada' });
    },
  );

  test.each(['/logout', '/renew'])(
    'after %s in another process the socket is closed at the next look',
    async (path) => {
      const store = stores()[kind];
      const here = await started({ checkEvery: 0.05 }, store);
      const visitor = await signedIn(here);
      const socket = await visitor.connect();
      await visitor.at(await started({}, elsewhere(store))).send(path);
      expect(await socket.closed).toBe(4401);
      expect(here.visitors[0]?.revoked.aborted).toBe(true);
    },
  );

  test('a run notices by itself what another process ended, before the message is handled', async () => {
    const store = stores()[kind];
    const server = await started({ checkEvery: 0 }, store);
    const visitor = await signedIn(server);
    const socket = await visitor.connect();
    await visitor.at(await started({}, elsewhere(store))).send('/logout');
    const handled = vi.fn();
    await expect(server.visitors[0]?.run(handled)).rejects.toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    expect(handled).not.toHaveBeenCalled();
    expect(await socket.closed).toBe(4401);
  });

  test('a session that a socket ends is ended everywhere, and that is no failure', async () => {
    const server = await started();
    const visitor = await signedIn(server);
    const [first, second] = [await visitor.connect(), await visitor.connect()];
    await server.visitors[0]?.run((session) => session.destroy());
    expect(await Promise.all([first.closed, second.closed])).toEqual([4401, 4401]);
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({});
  });

  test('a socket cannot give the session another id', async () => {
    const visitor = await signedIn(await started());
    const socket = await visitor.connect();
    expect(await socket.ask('renew')).toEqual({ code: 'ERR_SESSION_HEADERS_SENT' });
    expect(await socket.ask('run')).toEqual({ user: 'ada' });
  });

  test('a visitor without a session reads an empty one, and cannot begin one', async () => {
    const server = await started();
    const socket = await new SocketVisitor(server.url).connect();
    expect(await socket.ask('read')).toEqual({});
    expect(await socket.ask('set')).toEqual({ code: 'ERR_SESSION_HEADERS_SENT' });
    expect(await socket.ask('count')).toEqual({ code: 'ERR_SESSION_HEADERS_SENT' });
    expect(await socket.ask('save')).toBe(null);
    expect(await socket.ask('reload')).toEqual({});
    expect(server.events.filter(({ type }) => type === 'created')).toEqual([]);
  });

  test('expiry ends it, and looking does not put that off', async () => {
    const server = await start({ store: stores()[kind], idleTimeout: 1 }, { onMessage, checkEvery: 0.05 });
    const socket = await (await signedIn(server)).connect();
    expect(await socket.closed).toBe(4401);
  });

  test('nothing is left to watch when sockets close, orderly or not', async () => {
    let reads = 0;
    const place = stores()[kind];
    const store: SessionStore = {
      ...elsewhere(place),
      synchronous: place.synchronous === true,
      read: (key) => {
        reads++;
        return place.read(key);
      },
    };
    const server = await started({ checkEvery: 0.01 }, store);
    const visitor = await signedIn(server);
    const sockets = [await visitor.connect(), await visitor.connect(), await visitor.connect()];
    expect(watchersOf(store).isEmpty).toBe(false);
    await sockets[0]?.end();
    sockets[1]?.ws.terminate();
    expect(watchersOf(store).isEmpty).toBe(false);
    await visitor.send('/logout');
    await sockets[2]?.closed;
    await vi.waitFor(() => expect(watchersOf(store).isEmpty).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = reads;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(reads).toBe(before);
  });

  test('a connection that breaks while the session is being opened leaves nothing', async () => {
    const store = stores()[kind];
    const server = await started({}, store);
    const visitor = await signedIn(server);
    const { port } = new URL(server.url);
    for (let i = 0; i < 20; i++) {
      const raw = connect(Number(port), '127.0.0.1');
      raw.on('error', () => {});
      raw.write(upgradeHead(port, visitor.cookie ?? ''));
      await new Promise((resolve) => setTimeout(resolve, i % 5));
      raw.resetAndDestroy();
    }
    await vi.waitFor(() => expect(watchersOf(store).isEmpty).toBe(true));
    expect(await (await visitor.connect()).ask('read')).toEqual({ user: 'ada' });
  });

  test.each([
    ['nonsense', 'session="\\"; session=%00; =; ;;'],
    ['an id that nobody issued', `session=${'a'.repeat(43)}`],
    ['a path', 'session=../../../../etc/passwd'],
    ['__proto__', '__proto__=1; session=__proto__'],
    ['12,000 bytes', `session=${'x'.repeat(12_000)}`],
  ])('%s for a cookie: no session, and no failure', async (_title, cookie) => {
    const server = await started();
    const socket = await new SocketVisitor(server.url).connect({ cookie });
    expect(await socket.ask('read')).toEqual({});
    expect(server.refused).toEqual([]);
  });
});

function upgradeHead(port: string, cookie: string): string {
  return [
    'GET / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Cookie: ${cookie}`,
    '\r\n',
  ].join('\r\n');
}
