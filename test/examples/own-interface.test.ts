/** The interface that users write themselves: over a Map as a program, over Redis as a class. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type RedisClient, RedisSessionInterface } from '../../examples/own-interface/redis-session-interface.ts';
import { ownInterfaceApp } from '../../examples/tutorials/own-interface-app.ts';
import { eventually } from './polling.ts';
import { start } from './started.ts';
import { Visitor } from './visitor.ts';

const KEY = 'a key for tests';
/** A UUID, signed. */
const SIGNED_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[\w-]{27}$/;

/** What holds whatever the records are kept in. */
function behaves(connect: (lifetime?: number) => Promise<Visitor>): void {
  test('logs in, remembers the last name (not the first for ever), logs out', async () => {
    const visitor = await connect();
    expect((await visitor.get('/')).text).toBe('nobody');
    expect(visitor.cookies.size).toBe(0);
    await visitor.get('/login/Ada');
    expect((await visitor.get('/')).text).toBe('Ada');
    await visitor.get('/login/Grace');
    expect((await visitor.get('/')).text).toBe('Grace');
    const thief = visitor.copy();
    await visitor.get('/logout');
    expect(visitor.cookies.size).toBe(0);
    expect((await thief.get('/')).text).toBe('nobody');
  });

  test('the cookie is a signed UUID with every attribute, and so is its deletion', async () => {
    const visitor = await connect();
    const [set] = (await visitor.get('/login/Ada')).setCookies;
    expect(visitor.cookies.get('session')).toMatch(SIGNED_ID);
    expect(set).toMatch(/^session=[^;]+; Domain=127\.0\.0\.1; Expires=[^;]+ GMT; HttpOnly; Path=\/; SameSite=Lax$/);
    expect((await visitor.get('/logout')).setCookies).toEqual([
      'session=; Domain=127.0.0.1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/; SameSite=Lax',
    ]);
  });

  test.each([
    ['a bad signature', (cookie: string) => `${cookie.slice(0, -2)}AA`],
    ['no signature', (cookie: string) => cookie.split('.')[0] as string],
    ["another's id under one's own signature", (cookie: string) => cookie.replace(/^[^.]+/, crypto.randomUUID())],
    ['nonsense', () => '%00"\\'],
  ])('%s starts a new session', async (_title, forge) => {
    const visitor = await connect();
    await visitor.get('/login/Ada');
    const cookie = visitor.cookies.get('session') as string;
    visitor.cookies.set('session', forge(cookie));
    expect((await visitor.get('/')).text).toBe('nobody');
    await visitor.get('/login/Eve');
    expect(visitor.cookies.get('session')).toMatch(SIGNED_ID);
    expect(visitor.cookies.get('session')?.split('.')[0]).not.toBe(cookie.split('.')[0]);
  });

  test('logging in continues under a new id, and the old one is dead', async () => {
    const visitor = await connect();
    await visitor.get('/login/Ada');
    const old = visitor.copy();
    await visitor.get('/login/Ada');
    expect(visitor.cookies.get('session')).not.toBe(old.cookies.get('session'));
    expect((await old.get('/')).text).toBe('nobody');
  });

  test('a session ends after its lifetime without use', async () => {
    const visitor = await connect(1);
    await visitor.get('/login/Ada');
    const cookie = visitor.cookies.get('session') as string;
    await eventually(
      async () => {
        // Asking renews it: wait for longer than the lifetime before each try.
        await new Promise((resolve) => setTimeout(resolve, 1200));
        const late = visitor.copy();
        late.cookies.set('session', cookie);
        return (await late.get('/')).text;
      },
      (text) => text === 'nobody',
    );
  });
}

describe('over a Map, as a program', () => {
  behaves(async (lifetime) => {
    const env = { SECRET_KEY: KEY, ...(lifetime === undefined ? {} : { LIFETIME: String(lifetime) }) };
    return new Visitor((await start('tutorials/own-interface-memory.ts', env)).url);
  });
});

describe('over Redis, with a client in this process that does what SETEX, GET and DEL do (no server)', () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function serve(redis: RedisClient, lifetime?: number): Promise<Visitor> {
    const cookie = { name: 'session', domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Lax' };
    const options = { cookie, ...(lifetime === undefined ? {} : { lifetime }) };
    const server = createServer(ownInterfaceApp(new RedisSessionInterface(redis, KEY, options)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  behaves((lifetime) => serve(new InProcessRedis(), lifetime));

  test('a record is the JSON of the session, under prefix and id, for the permanent lifetime', async () => {
    const redis = new InProcessRedis();
    const setEx = vi.spyOn(redis, 'setEx');
    const visitor = await serve(redis, 7200);
    await visitor.get('/login/Ada');
    const id = visitor.cookies.get('session')?.split('.')[0];
    expect(setEx.mock.lastCall).toEqual([`session:${id}`, 7200, '{"_permanent":true,"username":"Ada"}']);
  });

  test('a Redis that is down is an error of the request, not an empty session', async () => {
    const down = () => Promise.reject(new Error('the connection was lost'));
    const visitor = await serve({ get: down, setEx: down, del: down });
    expect((await visitor.get('/login/Ada')).status).toBe(500);
  });
});

/** SETEX as documented: an integer number of seconds, at least 1, or an error; GET: null for what is absent or expired. */
class InProcessRedis implements RedisClient {
  readonly #values = new Map<string, { value: string; expiresAt: number }>();

  async get(key: string): Promise<string | null> {
    const entry = this.#values.get(key);
    if (entry && entry.expiresAt <= Date.now()) this.#values.delete(key);
    return this.#values.get(key)?.value ?? null;
  }

  async setEx(key: string, seconds: number, value: string): Promise<string> {
    if (!Number.isInteger(seconds)) throw new Error('ERR value is not an integer or out of range');
    if (seconds < 1) throw new Error("ERR invalid expire time in 'setex' command");
    this.#values.set(key, { value, expiresAt: Date.now() + seconds * 1000 });
    return 'OK';
  }

  async del(key: string): Promise<number> {
    const wasThere = (await this.get(key)) !== null;
    this.#values.delete(key);
    return wasThere ? 1 : 0;
  }
}
