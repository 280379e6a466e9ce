/** What goes wrong around the session of a socket: outages, races with a logout, cookies, foreign pages, bad options. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session, type SessionEffects, SessionInterface, type SessionRequest, type SessionStore } from 'flacon';
import { socketSessions } from 'flacon/adapters/ws';
import { flaskConfig } from 'flacon/flask';
import { MemoryStore } from 'flacon/stores/memory';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { elsewhere, type SocketServer, SocketVisitor, startSockets } from './websocket-server.ts';

const SECRET = 'a key for tests, at least 32 bytes long';
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

/** A store whose next write or read waits until it is let go, or that fails. */
function obstructed() {
  const memory = new MemoryStore();
  let gate: Promise<void> | undefined;
  const state = { out: false, delays: [] as number[], memory };
  const pass = async (): Promise<void> => {
    await gate;
    if (state.out) throw new Error('out of order');
    await new Promise((resolve) => setTimeout(resolve, state.delays.shift() ?? 0));
  };
  const store: SessionStore = {
    name: 'obstructed',
    read: (key) => pass().then(() => memory.read(key)),
    write: (...args) => pass().then(() => memory.write(...args)),
    touch: (...args) => pass().then(() => memory.touch(...args)),
    delete: (key) => pass().then(() => memory.delete(key)),
  };
  const hold = (): (() => void) => {
    let release = (): void => {};
    gate = new Promise<void>((resolve) => {
      release = () => {
        gate = undefined;
        resolve();
      };
    });
    return release;
  };
  return Object.assign(state, { store, hold });
}

describe('a logout while a socket saves', () => {
  test.each(['run', 'save'] as const)('%s writes nothing, says so, and the session stays ended', async (way) => {
    const { store, memory, hold } = obstructed();
    const server = await start({ store }, { checkEvery: 0 });
    const visitor = await signedIn(server);
    const socket = await visitor.connect();
    const opened = server.visitors[0] as NonNullable<(typeof server.visitors)[0]>;
    let release = (): void => {};
    const write = (session: Session): void => {
      session.set('late', true);
      release = hold();
    };
    if (way === 'save') write(opened.session);
    const saving = way === 'run' ? opened.run(write) : opened.save();
    const outcome = saving.then(
      () => 'saved',
      (error: { code?: string }) => error.code,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    // As another process would: this one must hear of it from its own write.
    await visitor.at(await start({ store: elsewhere(memory) })).send('/logout');
    release();
    expect(await outcome).toBe('ERR_SESSION_REVOKED');
    expect(await socket.closed).toBe(4401);
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({});
    expect(server.events.map(({ type }) => type)).toContain('gone');
  });
});

test('messages are handled in the order they came, however long each read takes', async () => {
  const { store, delays } = obstructed();
  const server = await start({ store }, { checkEvery: 0 });
  await (await signedIn(server)).connect();
  const [visitor] = server.visitors;
  delays.push(40, 5, 20);
  const order: string[] = [];
  await Promise.all(
    [1, 2, 3].map((n) =>
      visitor?.run(async () => {
        order.push(`${n} begins`);
        await new Promise((resolve) => setTimeout(resolve, 10 / n));
        order.push(`${n} ends`);
      }),
    ),
  );
  expect(order).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
});

describe('a store that is out of order', () => {
  test.each(['fail', 'null-session'] as const)('under the policy %s ends no session', async (onStoreError) => {
    const place = obstructed();
    const server = await start({ store: place.store, onStoreError }, { checkEvery: 0.02 });
    const visitor = await signedIn(server);
    await visitor.connect();
    const [opened] = server.visitors;
    place.out = true;
    await vi.waitFor(() =>
      expect(server.events.filter(({ type }) => type === 'store-error').length).toBeGreaterThan(2),
    );
    const during = await opened?.run((session) => session.toJSON()).catch((error) => error.code);
    expect(during).toEqual(onStoreError === 'fail' ? 'ERR_SESSION_STORE' : {});
    expect(opened?.revoked.aborted).toBe(false);
    place.out = false;
    expect(await opened?.run((session) => session.toJSON())).toEqual({ user: 'ada' });
    await opened?.reload();
    expect(opened?.session.toJSON()).toEqual({ user: 'ada' });
    await visitor.send('/logout');
    expect(opened?.revoked.aborted).toBe(true);
  });

  test('refuses the socket, under the policy to fail', async () => {
    const place = obstructed();
    const server = await start({ store: place.store });
    const visitor = await signedIn(server);
    place.out = true;
    await expect(visitor.connect()).rejects.toThrow('500');
    expect(server.refused).toMatchObject([{ code: 'ERR_SESSION_STORE' }]);
    place.out = false;
    await visitor.connect();
  });

  test('opens a session that can be read once the store is back, under the policy to go on', async () => {
    const place = obstructed();
    const server = await start({ store: place.store, onStoreError: 'null-session' });
    const visitor = await signedIn(server);
    place.out = true;
    await visitor.connect();
    const [opened] = server.visitors;
    expect(opened?.session.toJSON()).toEqual({});
    expect(() => opened?.session.set('a', 1)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_READ_ONLY' }));
    place.out = false;
    await opened?.reload();
    opened?.session.set('a', 1);
    await opened?.save();
    expect(JSON.parse((await visitor.send('/show')).body)).toEqual({ user: 'ada', a: 1 });
  });
});

describe('a session that is in the cookie', () => {
  const options = { store: 'cookie', secretKey: SECRET } as const;

  test('can be read, and not be changed', async () => {
    const server = await start(options);
    await (await signedIn(server)).connect();
    const [visitor] = server.visitors;
    expect(visitor?.session.toJSON()).toEqual({ user: 'ada' });
    const refused = { code: 'ERR_SESSION_HEADERS_SENT' };
    expect(() => visitor?.session.set('a', 1)).toThrow(expect.objectContaining(refused));
    await expect(visitor?.run((session) => session.set('a', 1))).rejects.toMatchObject(refused);
    await expect(visitor?.run((session) => session.destroy())).rejects.toMatchObject(refused);
    expect(await visitor?.run((session) => session.get('user'))).toBe('ada');
    await visitor?.save();
  });

  test('a change deep inside is refused when it is saved', async () => {
    const server = await start({ ...options, now: Date.now });
    const visitor = new SocketVisitor(server.url);
    await visitor.send('/list');
    await visitor.connect();
    const [opened] = server.visitors;
    const push = (session: Session): unknown => session.get<number[]>('list', []).push(2);
    await expect(opened?.run(push)).rejects.toMatchObject({ code: 'ERR_SESSION_HEADERS_SENT' });
    expect(await opened?.run((session) => session.get('list'))).toEqual([1]);
  });

  test('its expiry is noticed', async () => {
    let now = Date.now();
    const server = await start({ ...options, now: () => now, idleTimeout: 60 }, { checkEvery: 0.02 });
    const socket = await (await signedIn(server)).connect();
    now += 61_000;
    expect(await socket.closed).toBe(4401);
  });

  test('its expiry is noticed by a message, which is not handled', async () => {
    let now = Date.now();
    const server = await start({ ...options, now: () => now, idleTimeout: 60 }, { checkEvery: 0 });
    const socket = await (await signedIn(server)).connect();
    now += 61_000;
    const handled = vi.fn();
    await expect(server.visitors[0]?.run(handled)).rejects.toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    expect(handled).not.toHaveBeenCalled();
    expect(await socket.closed).toBe(4401);
  });
});

test("Flask's profile, whose every response sends the cookie, with a signature by a former key", async () => {
  const store = new MemoryStore();
  const old = flaskConfig({ SESSION_TYPE: 'null', SECRET_KEY: 'old' });
  const options = { ...old, profile: 'flask', store, signIds: true, permanent: true } as const;
  const visitor = await signedIn(await start({ ...options, secretKey: 'old' }));
  const server = await start({ ...options, secretKey: 'new', secretKeyFallbacks: ['old'] });
  await visitor.at(server).connect();
  const [opened] = server.visitors;
  await opened?.run((session) => session.set('a', 1));
  expect(await opened?.run((session) => session.get('a'))).toBe(1);
});

describe('an interface of one’s own', () => {
  /** Records in a Map, under whatever the cookie says. */
  class Plain extends SessionInterface {
    readonly records = new Map<string, object>();
    override openSession(request: SessionRequest): Session {
      return new Session(this.records.get(this.readCookie(request) ?? '') ?? {});
    }
    override saveSession(session: Session, request: SessionRequest): SessionEffects {
      if (!session.modified) return {};
      const id = this.readCookie(request) ?? 'id1';
      this.records.set(id, session.toJSON());
      return this.setCookie(id, undefined, request);
    }
  }

  test('is asked to save, and its cookie may only be the one that the client has', async () => {
    const own = new Plain();
    const server = await start(own);
    const visitor = await signedIn(server);
    await visitor.connect();
    await new SocketVisitor(server.url).connect();
    const [known, stranger] = server.visitors;
    await known?.run((session) => session.set('a', 1));
    expect(own.records.get('id1')).toEqual({ user: 'ada', a: 1 });
    await expect(stranger?.run((session) => session.set('a', 1))).rejects.toMatchObject({
      code: 'ERR_SESSION_HEADERS_SENT',
    });
    expect(await stranger?.run((session) => session.size)).toBe(0);
  });
});

describe('Origin', () => {
  const answers = (server: SocketServer, origin: string): Promise<string> =>
    new SocketVisitor(server.url).connect({ origin }).then(
      () => 'open',
      (error: Error) => error.message,
    );
  const port = (server: SocketServer): string => new URL(server.url).port;

  test('by default: pages of the host that is asked, and what is no page', async () => {
    const server = await start({ store: new MemoryStore() });
    expect(await answers(server, server.url)).toBe('open');
    await new SocketVisitor(server.url).connect();
    for (const origin of [
      'https://evil.example',
      `http://127.0.0.1.evil.example:${port(server)}`,
      `http://localhost:${port(server)}`,
      'http://127.0.0.1',
      `${server.url}/`,
      `http://user@127.0.0.1:${port(server)}`,
      'null',
      '',
      'nonsense',
      `file://127.0.0.1:${port(server)}`,
      `${server.url}, https://evil.example`,
    ]) {
      expect([origin, await answers(server, origin)]).toEqual([origin, expect.stringContaining('403')]);
    }
    expect(server.refused).toEqual([]);
  });

  test('where the socket is encrypted, no page that came over http', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flacon-origin-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = [
      '-subj',
      '/CN=127.0.0.1',
      '-days',
      '2',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
    ];
    execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) });
    rmSync(folder, { recursive: true });
    const wss = new WebSocketServer({ noServer: true });
    server.on(
      'upgrade',
      socketSessions({ store: new MemoryStore() }).upgrade(wss, (ws) => ws.close(1000)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome = (origin: string): Promise<unknown> =>
      new Promise((resolve) => {
        const ws = new WebSocket(`wss://${host}`, { origin, rejectUnauthorized: false });
        ws.once('close', resolve);
        ws.once('error', (error) => resolve(error.message));
      });
    expect(await outcome(`https://${host}`)).toBe(1000);
    expect(await outcome(`http://${host}`)).toContain('403');
    await new Promise((resolve) => server.close(resolve));
  });

  test('a list: exactly these', async () => {
    const server = await start({ store: new MemoryStore() }, { origins: ['https://app.example'] });
    expect(await answers(server, 'https://app.example')).toBe('open');
    expect(await answers(server, 'https://app.example:8443')).toContain('403');
    expect(await answers(server, server.url)).toContain('403');
  });

  test('any', async () => {
    const server = await start({ store: new MemoryStore() }, { origins: 'any' });
    expect(await answers(server, 'https://evil.example')).toBe('open');
  });

  test('open says it with an error, for those who answer themselves', async () => {
    const sockets = socketSessions({ store: new MemoryStore() });
    const server = createServer();
    const failed = new Promise((resolve) => {
      server.on('upgrade', (req, socket) => {
        sockets.open(req).then(undefined, resolve);
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port: number } = server.address() as AddressInfo;
    await expect(
      new SocketVisitor(`http://127.0.0.1:${number}`).connect({ origin: 'https://evil.example' }),
    ).rejects.toThrow();
    expect(await failed).toMatchObject({ code: 'ERR_SESSION_ORIGIN' });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('options that cannot work', () => {
  test.each([
    ['checkEvery', { checkEvery: -1 }],
    ['checkEvery', { checkEvery: Number.NaN }],
    ['checkEvery', { checkEvery: 100_000 }],
    ['checkEvery', { checkEvery: '30' as never }],
    ['origins', { origins: ['https://app.example/'] }],
    ['origins', { origins: ['*'] }],
    ['origins', { origins: [/example/ as never] }],
    ['origins', { origins: 'https://app.example' as never }],
  ])('%s: %o', (option, options) => {
    expect(() => socketSessions({ store: new MemoryStore() }, options)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_CONFIG', option }),
    );
  });
});
