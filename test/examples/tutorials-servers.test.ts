/** The programs of examples/tutorials that need a server, each on a real one: over HTTP, and by what is then on the server. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { msgpack } from 'flacon/codecs/msgpack';
import { type Db, MongoClient } from 'mongodb';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMariadb } from '../servers/mariadb.ts';
import { ask, startOwnMemcached } from '../servers/memcached.ts';
import { startMongodb } from '../servers/mongodb.ts';
import { startPostgres } from '../servers/postgres.ts';
import { available } from '../servers/process.ts';
import { startOwnRedis, startRedis } from '../servers/redis.ts';
import { ROOT } from './built.ts';
import { eventually } from './polling.ts';
import { start } from './started.ts';
import { Visitor } from './visitor.ts';

const KEY = 'a key for tests';
const PASSWORD = 'a pass/word';
const HOURS_2 = 7200;
const DAYS_31 = 31 * 86_400;

/** Seconds that are left of a lifetime: not one that is over, or another, whatever the speed of the machine. */
function expectLeft(left: number | undefined, lifetime: number): void {
  expect(left).toBeGreaterThan(lifetime - 300);
  // A server's own clock may be a little behind.
  expect(left).toBeLessThanOrEqual(lifetime + 5);
}

const [redis, memcached, another, mongodb, mariadb, postgres] = await Promise.all([
  available(() => (process.env.REDIS_URL ? startRedis() : startOwnRedis(['--requirepass', PASSWORD]))),
  available(() => startOwnMemcached()),
  available(() => startOwnMemcached()),
  available(startMongodb),
  available(startMariadb),
  available(startPostgres),
]);
afterAll(() =>
  Promise.all([redis, memcached, another, mongodb, mariadb, postgres].map(({ server }) => server?.stop())),
);

async function visit(program: string, env: Record<string, string>) {
  const started = await start(`tutorials/${program}.ts`, env);
  const visitor = new Visitor(started.url);
  const text = async (path: string) => (await visitor.get(path)).text;
  return { started, visitor, text };
}

/** The id in the cookie, without a signature. */
function idOf(visitor: Visitor): string {
  return visitor.cookies.get('session')?.split('.')[0] as string;
}

function dataOf(record: Uint8Array): unknown {
  const opened = msgpack.open(record);
  return Object.fromEntries(opened.keys().map((key) => [key, opened.get(key)]));
}

/** A name that nobody else uses on a server that others use, too. */
function freshName(): string {
  return `tutorial_${randomBytes(6).toString('hex')}`;
}

/** What every one of these programs does; it ends in order, and what was set is there when it starts again. */
async function remembers(program: string, env: Record<string, string>): Promise<Visitor> {
  const { started, visitor, text } = await visit(program, env);
  expect(await text('/get')).toBe('not set');
  expect(visitor.cookies.size).toBe(0);
  await text('/set/blue');
  expect(await text('/get')).toBe('blue');
  await text('/set/green');
  expect(await started.stop()).toBe(0);
  const again = visitor.copy((await start(`tutorials/${program}.ts`, env)).url);
  expect((await again.get('/get')).text).toBe('green');
  return again;
}

describe.skipIf(redis.missing)(`redis${redis.note}`, () => {
  const url = new URL(redis.server?.url ?? 'redis://localhost');
  if (!process.env.REDIS_URL) url.password = PASSWORD;
  const DATABASE = 3;
  const env = {
    SECRET_KEY: KEY,
    REDIS_HOST: url.hostname,
    REDIS_PORT: url.port || '6379',
    REDIS_PASSWORD: decodeURIComponent(url.password),
    REDIS_DB: String(DATABASE),
  };
  const client = createClient({ url: url.href, database: DATABASE });
  beforeAll(async () => {
    await client.connect();
  });
  afterAll(() => client.destroy());

  test.each([
    ['session:', {}],
    ['flask-session', { KEY_PREFIX: 'flask-session' }],
  ] as [string, Record<string, string>][])('the record is under the prefix %s, for two hours', async (prefix, more) => {
    const visitor = await remembers('redis', { ...env, ...more });
    const key = prefix + idOf(visitor);
    expectLeft(await client.ttl(key), HOURS_2);
    const record = await client.withTypeMapping({ 36: Buffer }).get(key);
    expect(dataOf(record as Buffer)).toEqual({ value: 'green' });
  });

  test('the id is signed: another signature, or none, starts a new session', async () => {
    const { visitor, text } = await visit('redis', env);
    await text('/set/blue');
    const cookie = visitor.cookies.get('session') as string;
    expect(cookie).toMatch(/^[\w-]{43}\.[\w-]{27}$/);
    for (const forged of [idOf(visitor), `${cookie.slice(0, -3)}abc`]) {
      visitor.cookies.set('session', forged);
      expect(await text('/get')).toBe('not set');
    }
  });

  test('SESSION_PERMANENT decides whether the cookie outlives the browser', async () => {
    for (const PERMANENT of ['false', 'true']) {
      const { visitor } = await visit('redis', { ...env, PERMANENT });
      const [cookie] = (await visitor.get('/set/blue')).setCookies;
      expect(/; Expires=/.test(cookie as string)).toBe(PERMANENT === 'true');
    }
  });

  test('the last key popped: no record, no cookie', async () => {
    const { visitor, text } = await visit('redis', env);
    await text('/set/blue');
    const key = `session:${idOf(visitor)}`;
    expect(await client.exists(key)).toBe(1);
    expect(await text('/pop')).toBe('blue');
    expect(await client.exists(key)).toBe(0);
    expect(visitor.cookies.size).toBe(0);
    expect(await text('/pop')).toBe('not set');
  });

  describe('own-interface-redis', () => {
    const own = { SECRET_KEY: KEY, REDIS_URL: new URL(String(DATABASE), url).href };

    test('logs in under a new id, remembers, logs out', async () => {
      const { visitor, text } = await visit('own-interface-redis', own);
      expect(await text('/')).toBe('nobody');
      await text('/login/Ada');
      const before = visitor.copy();
      await text('/login/Grace');
      expect(await text('/')).toBe('Grace');
      expect(idOf(visitor)).not.toBe(idOf(before));
      expect((await before.get('/')).text).toBe('nobody');
      const thief = visitor.copy();
      await text('/logout');
      expect(visitor.cookies.size).toBe(0);
      expect((await thief.get('/')).text).toBe('nobody');
    });

    test('the record is JSON, set for the permanent lifetime; it outlives the program, and no forged signature', async () => {
      const { started, visitor, text } = await visit('own-interface-redis', { ...own, LIFETIME: String(HOURS_2) });
      await text('/login/Ada');
      const key = `session:${idOf(visitor)}`;
      expect(await client.get(key)).toBe('{"_permanent":true,"username":"Ada"}');
      expectLeft(await client.ttl(key), HOURS_2);
      expect(await started.stop()).toBe(0);
      const again = visitor.copy((await start('tutorials/own-interface-redis.ts', own)).url);
      expect((await again.get('/')).text).toBe('Ada');
      again.cookies.set('session', `${idOf(again)}.${'A'.repeat(27)}`);
      expect((await again.get('/')).text).toBe('nobody');
    });

    test('a session ends after its lifetime without use', async () => {
      const { visitor, text } = await visit('own-interface-redis', { ...own, LIFETIME: '1' });
      await text('/login/Ada');
      const key = `session:${idOf(visitor)}`;
      await eventually(
        () => client.exists(key),
        (there) => there === 0,
      );
      const late = visitor.copy();
      expect((await late.get('/')).text).toBe('nobody');
    });
  });
});

describe.skipIf(memcached.missing || another.missing)(`memcached${memcached.note || another.note}`, () => {
  const servers = [memcached.server, another.server].map((server) => ({
    address: server?.address ?? '',
    port: server?.port ?? 0,
  }));

  /** What a server has under a key, with the seconds that are left. */
  async function itemAt(port: number, key: string) {
    const found = /^VA \d+ t(-?\d+)\r\n([\s\S]*)\r\n$/.exec(await ask(port, `mg ${key} t v`));
    return found ? { seconds: Number(found[1]), data: dataOf(Buffer.from(found[2] as string, 'latin1')) } : undefined;
  }

  test('one server: the record is there for 31 days, although memcached counts seconds up to 30 only', async () => {
    const [{ address, port }] = servers as [{ address: string; port: number }];
    const visitor = await remembers('memcached', { MEMCACHED_SERVERS: address });
    const item = await itemAt(port, `session:${idOf(visitor)}`);
    expect(item?.data).toEqual({ _permanent: true, value: 'green' });
    expectLeft(item?.seconds, DAYS_31);
  });

  test('two servers: each record is on one of them, and both have some', async () => {
    const env = { MEMCACHED_SERVERS: servers.map(({ address }) => address).join(',') };
    await remembers('memcached', env);
    const { started } = await visit('memcached', env);
    const visitors = Array.from({ length: 24 }, () => new Visitor(started.url));
    const places = await Promise.all(
      visitors.map(async (visitor, i) => {
        await visitor.get(`/set/${i}`);
        expect((await visitor.get('/get')).text).toBe(String(i));
        const items = await Promise.all(servers.map(({ port }) => itemAt(port, `session:${idOf(visitor)}`)));
        expect(items.filter(Boolean)).toHaveLength(1);
        return items.findIndex(Boolean);
      }),
    );
    expect(new Set(places)).toEqual(new Set([0, 1]));
  });
});

describe.skipIf(mongodb.missing)(`mongodb${mongodb.note}`, () => {
  const url = mongodb.server?.url ?? 'mongodb://localhost';
  const client = new MongoClient(url);
  const names: string[] = [];
  afterAll(async () => {
    for (const name of names) await client.db(name).dropDatabase();
    await client.close();
  });

  function database(name: string): Db {
    names.push(name);
    return client.db(name);
  }

  test.each([
    ['names of ASCII', 'tutorial', 'my_sessions'],
    ['names of other letters', 'séances_für_alle', '会话'],
  ])('%s: a document for each session, with its end', async (_title, prefix, collection) => {
    const name = `${prefix}_${randomBytes(4).toString('hex')}`;
    const db = database(name);
    const visitor = await remembers('mongodb', { MONGODB_URL: url, MONGODB_DB: name, MONGODB_COLLECT: collection });
    const documents = await db.collection(collection).find({}).toArray();
    expect(documents).toHaveLength(1);
    const [document] = documents;
    expect(Object.keys(document ?? {})).toEqual(['_id', 'id', 'val', 'expiration']);
    expect(document?.id).toBe(`session:${idOf(visitor)}`);
    expect(dataOf(document?.val.buffer)).toEqual({ _permanent: true, value: 'green' });
    expectLeft((document?.expiration.getTime() - Date.now()) / 1000, HOURS_2);
    expect((await db.listCollections().toArray()).map((each) => each.name)).toContain(collection);
  });

  test('an expired session is none, although its document may still be there', async () => {
    const name = freshName();
    database(name);
    const { visitor, text } = await visit('mongodb', { MONGODB_URL: url, MONGODB_DB: name, LIFETIME: '1' });
    await text('/set/blue');
    await eventually(
      async () => {
        // Asking renews it: wait for longer than the lifetime before each try.
        await new Promise((resolve) => setTimeout(resolve, 1200));
        return (await visitor.copy().get('/get')).text;
      },
      (answer) => answer === 'not set',
    );
  });
});

describe.skipIf(mariadb.missing)(`sql-mysql${mariadb.note}`, () => {
  test('the table is made under a name of its own, in a database that is there', async () => {
    const url = new URL(mariadb.server!.url);
    const database = freshName();
    const admin = await createConnection(url.href);
    try {
      await admin.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
      const { username, password, host } = url;
      const visitor = await remembers('sql-mysql', {
        DATABASE_URI: `mysql+pymysql://${username}:${password}@${host}/${database}?charset=utf8`,
        SESSION_TABLE: 'visitors_of_mine',
      });
      const [tables] = await admin.query<RowDataPacket[]>(`SHOW TABLES IN ${database}`);
      expect(tables.map((row) => Object.values(row)[0])).toEqual(['visitors_of_mine']);
      const [rows] = await admin.query<RowDataPacket[]>(
        `SELECT *, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), expiry) AS seconds FROM ${database}.visitors_of_mine`,
      );
      expect(rows).toHaveLength(1);
      expect(Object.keys(rows[0]!)).toEqual(['id', 'session_id', 'data', 'expiry', 'seconds']);
      expect(rows[0]).toMatchObject({ id: 1, session_id: `session:${idOf(visitor)}` });
      expectLeft(rows[0]!.seconds, DAYS_31);
      expect(dataOf(rows[0]!.data)).toEqual({ _permanent: true, value: 'green' });
    } finally {
      await admin.query(`DROP DATABASE IF EXISTS ${database}`);
      await admin.end();
    }
  });
});

describe.skipIf(postgres.missing)(`sql-postgres${postgres.note}`, () => {
  const url = postgres.server?.url ?? 'postgresql://localhost';
  const admin = new pg.Client(url);
  const made: string[] = [];
  beforeAll(() => admin.connect().then(() => {}));
  afterAll(async () => {
    for (const name of made) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });

  /** What the program's comment tells to type. */
  const comment = readFileSync(join(ROOT, 'examples/tutorials/sql-postgres.ts'), 'utf8').replaceAll(/^ \* {0,5}/gm, '');
  const byHand = /^CREATE TABLE[^;]+;/m.exec(comment)?.[0] ?? '';
  const better = /^ALTER TABLE[^;]+;\nSELECT[^;]+;/m.exec(comment)?.[0] ?? '';

  /** A database of its own, in which these statements were run. */
  async function database(...statements: string[]) {
    const name = freshName();
    await admin.query(`CREATE DATABASE ${name}`);
    made.push(name);
    const at = new URL(url);
    at.pathname = `/${name}`;
    const run = async (sql: string) => {
      const client = new pg.Client(at.href);
      await client.connect();
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };
    for (const statement of statements) await run(statement);
    return { run, env: { DATABASE_URI: at.href } };
  }

  test('the table that was made by hand gets its rows, each with an id', async () => {
    const { run, env } = await database(byHand);
    // Nothing gives it one.
    await expect(run("INSERT INTO sessions (session_id) VALUES ('x')")).rejects.toThrow(/null value in column "id"/);
    const visitor = await remembers('sql-postgres', env);
    const { started } = await visit('sql-postgres', env);
    const others = Array.from({ length: 20 }, () => new Visitor(started.url));
    await Promise.all(others.map((other, i) => other.get(`/set/${i}`)));
    for (const [i, other] of others.entries()) expect((await other.get('/get')).text).toBe(String(i));

    const rows = await run(
      "SELECT *, extract(epoch FROM expiry - now() AT TIME ZONE 'UTC')::float8 AS seconds FROM sessions ORDER BY id",
    );
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
    expect(rows[0].session_id).toBe(`session:${idOf(visitor)}`);
    expect(dataOf(rows[0].data)).toEqual({ _permanent: true, value: 'green' });
    expectLeft(rows[0].seconds, DAYS_31);
  });

  test('the table altered as the comment says: the database gives the ids from then on', async () => {
    const { run, env } = await database(byHand);
    const first = await remembers('sql-postgres', env);
    await run(better);
    await run("INSERT INTO sessions (session_id) VALUES ('as Flask does it')");
    const second = await remembers('sql-postgres', env);
    const rows = await run('SELECT id, session_id FROM sessions ORDER BY id');
    expect(rows).toEqual([
      { id: 1, session_id: `session:${idOf(first)}` },
      { id: 2, session_id: 'as Flask does it' },
      { id: 3, session_id: `session:${idOf(second)}` },
    ]);
  });

  test('no table: the program makes one', async () => {
    const { run, env } = await database();
    const visitor = await remembers('sql-postgres', env);
    expect(await run('SELECT id, session_id FROM sessions')).toEqual([
      { id: 1, session_id: `session:${idOf(visitor)}` },
    ]);
  });
});
