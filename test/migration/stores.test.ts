/** Real express-session, on the stores people use, writes sessions over HTTP; flacon takes them over with the same cookies. */
import { readdirSync } from 'node:fs';
import MongoStore from 'connect-mongo';
import connectPgSimple from 'connect-pg-simple';
import { RedisStore as ConnectRedis } from 'connect-redis';
import session from 'express-session';
import { fromExpressSession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import { RedisStore } from 'flacon/stores/redis';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import { createClient } from 'redis';
import fileStore from 'session-file-store';
import { afterAll, describe, expect, test } from 'vitest';
import { startMongodb } from '../servers/mongodb.ts';
import { startPostgres } from '../servers/postgres.ts';
import { available, temporaryFolder } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';
import { closeSites, Events, expressApp, flaconApp, type Site, serve } from './apps.ts';

const SECRET = 'keyboard cat';
const DAY_MS = 86_400_000;

const folder = temporaryFolder('migration');
const redis = await available(startRedis);
const postgres = await available(startPostgres);
const mongodb = await available(startMongodb);

const client = createClient(redis.server ? { url: redis.server.url } : {});
if (redis.server) await client.connect();
const pool = new pg.Pool(postgres.server ? { connectionString: postgres.server.url } : {});
const mongo = mongodb.server ? await MongoClient.connect(mongodb.server.url) : undefined;

afterAll(async () => {
  await closeSites();
  if (client.isOpen) client.destroy();
  await pool.end();
  await mongo?.close();
  await Promise.all([redis.server?.stop(), postgres.server?.stop(), mongodb.server?.stop()]);
  folder.remove();
});

/** How many records a store holds, asked of the store itself. */
type Count = () => Promise<number>;

function takesOver(create: () => { store: session.Store; count: Count }): void {
  const { store, count } = create();
  const theirs = { secret: SECRET, store, cookie: { maxAge: DAY_MS } };
  /** Every call to their store that the application on flacon makes. */
  const calls: string[] = [];
  const watched = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name !== 'on') calls.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });

  test('signed in still, under our id; the old record and the old cookie are gone', async () => {
    const events = new Events();
    const before = await serve(expressApp(theirs));
    const ours = fromExpressSession(
      { store: new MemoryStore(), onEvent: events.listener },
      { ...theirs, store: watched },
    );
    const after = await serve(flaconApp(ours));
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    await visitor.get('/put/colour/mauve');
    expect(await count()).toBe(1);
    const old = visitor.cookies.get('connect.sid');
    expect(old).toMatch(/^s%3A/);

    const moved = visitor.copy(after.url);
    const answer = await moved.get('/me');
    expect(JSON.parse(answer.text)).toEqual({ passport: { user: 'ada' }, colour: 'mauve' });
    expect(answer.setCookies).toHaveLength(2);
    expect(answer.setCookies[0]).toMatch(/^session=[\w-]{43}; Expires=[^;]+; HttpOnly; Path=\/; SameSite=Lax$/);
    expect(answer.setCookies[1]).toMatch(
      /^connect\.sid=; Expires=Thu, 01 Jan 1970 [^;]+; Max-Age=0; HttpOnly; Path=\/$/,
    );
    expect(answer.headers.get('vary')).toContain('Cookie');
    expect([...moved.cookies.keys()]).toEqual(['session']);
    expect(await count()).toBe(0);
    expect(calls).toEqual(['get', 'destroy']);
    expect(events.types).toEqual(['migrated']);

    await moved.get('/put/age/9');
    expect(JSON.parse((await moved.get('/me')).text)).toEqual({
      passport: { user: 'ada' },
      colour: 'mauve',
      age: '9',
    });
    expect(calls).toEqual(['get', 'destroy']);
    const { sid, isNew, permanent } = JSON.parse((await moved.get('/sid')).text);
    expect(sid).toBe(moved.cookies.get('session'));
    expect(old).not.toContain(sid);
    expect({ isNew, permanent }).toEqual({ isNew: false, permanent: true });
  });
}

describe('MemoryStore', () => {
  takesOver(() => {
    const store = new session.MemoryStore();
    return { store, count: () => new Promise((resolve) => store.length((_, length) => resolve(length ?? -1))) };
  });
});

describe('session-file-store', () => {
  takesOver(() => {
    const FileStore = fileStore(session);
    const store = new FileStore({ path: `${folder.path}/files`, retries: 0, reapInterval: -1, logFn: () => {} });
    return {
      store,
      count: async () => readdirSync(`${folder.path}/files`).filter((name) => name.endsWith('.json')).length,
    };
  });
});

describe.skipIf(redis.missing)(`connect-redis${redis.note}`, () => {
  const count = (prefix: string) => async () => (await client.keys(`${prefix}*`)).length;

  describe('on node-redis', () => {
    takesOver(() => ({ store: new ConnectRedis({ client, prefix: 'one:' }), count: count('one:') }));
  });

  test('20 first requests at once, from one Redis into the same: one session that has every change', async () => {
    const theirs = { secret: SECRET, store: new ConnectRedis({ client, prefix: 'many:' }) };
    const events = new Events();
    const ours = { store: new RedisStore({ client }), keyPrefix: 'moved:', onEvent: events.listener };
    const before = await serve(expressApp(theirs));
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    const sites = await Promise.all([1, 2].map(() => serve(flaconApp(fromExpressSession(ours, theirs)))));
    const moved = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const one = visitor.copy((sites[i % 2] as Site).url);
        expect((await one.get(`/put/key${i}/x`)).status).toBe(200);
        return one.cookies.get('session');
      }),
    );
    expect(new Set(moved).size).toBe(1);
    const last = visitor.copy((sites[0] as Site).url);
    expect(Object.keys(JSON.parse((await last.get('/me')).text))).toHaveLength(21);
    expect(await count('many:')()).toBe(0);
    expect(await count('moved:')()).toBe(2);
    expect(events.types).toEqual(['migrated']);
  });

  test('a session that was used lives on, though its record says that it ended', async () => {
    const store = new ConnectRedis({ client, prefix: 'used:' });
    const theirs = { secret: SECRET, store, cookie: { maxAge: 2000 } };
    const before = await serve(expressApp(theirs));
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    const [key] = await client.keys('used:*');
    const recorded = async () => Date.parse(JSON.parse((await client.get(key as string)) as string).cookie.expires);
    const end = await recorded();
    while (Date.now() <= end + 50) {
      await visitor.get('/unused');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await recorded()).toBe(end);
    const after = await serve(flaconApp(fromExpressSession({ store: new MemoryStore() }, theirs)));
    const moved = visitor.copy(after.url);
    expect(JSON.parse((await moved.get('/me')).text)).toEqual({ passport: { user: 'ada' } });
  });
});

describe.skipIf(redis.missing)(`ioredis, by hand${redis.note}`, () => {
  test('an object that reads and deletes is enough', async () => {
    const io = new Redis(redis.server?.url ?? '');
    const before = await serve(expressApp({ secret: SECRET, store: new ConnectRedis({ client, prefix: 'hand:' }) }));
    const store = {
      get: (sid: string, callback: (error: unknown, session?: unknown) => void) =>
        io.get(`hand:${sid}`).then((text) => callback(null, text && JSON.parse(text)), callback),
      destroy: (sid: string, callback: (error?: unknown) => void) =>
        io.del(`hand:${sid}`).then(() => callback(), callback),
    };
    const after = await serve(flaconApp(fromExpressSession({ store: new MemoryStore() }, { secret: SECRET, store })));
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    const moved = visitor.copy(after.url);
    expect(JSON.parse((await moved.get('/me')).text)).toEqual({ passport: { user: 'ada' } });
    expect(await io.keys('hand:*')).toEqual([]);
    io.disconnect();
  });
});

describe.skipIf(postgres.missing)(`connect-pg-simple${postgres.note}`, () => {
  takesOver(() => {
    const PgStore = connectPgSimple(session);
    const store = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false });
    return { store, count: async () => Number((await pool.query('SELECT count(*) FROM session')).rows[0].count) };
  });
});

describe.skipIf(mongodb.missing)(`connect-mongo${mongodb.note}`, () => {
  for (const stringify of [true, false]) {
    describe(stringify ? 'records as text' : 'records as documents', () => {
      takesOver(() => {
        const dbName = `migration_${process.pid}_${stringify}`;
        const store = MongoStore.create({ client: mongo as never, dbName, stringify });
        return { store, count: () => (mongo as MongoClient).db(dbName).collection('sessions').countDocuments() };
      });
    });
  }
});
