/** Databases that are away, silent, cut off, locked or without rights, rows that are no records, and transactions of the application's. */
import { SqlStore, type SqlStoreOptions } from 'flacon/stores/sql';
import knex from 'knex';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import { SessionConfigError, SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { startOwnMariadb } from '../servers/mariadb.ts';
import { startOwnPostgres } from '../servers/postgres.ts';
import { available, until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import {
  bytes,
  expectNothingUnhandled,
  expectRecovery,
  expectFailures as expectTypedFailures,
  later,
  outcome,
  text,
} from './failures.ts';

/** Seconds. */
const DEADLINE = 1;

expectNothingUnhandled();

const [postgres, mariadb] = await Promise.all([available(startOwnPostgres), available(startOwnMariadb)]);
afterAll(() => Promise.all([postgres.server?.stop(), mariadb.server?.stop()]));

function expectFailures(store: GuardedStore, code?: string): Promise<SessionStoreError[]> {
  return expectTypedFailures(store, { deadline: DEADLINE, code, name: 'sql' });
}

interface Opened {
  readonly store: SqlStore;
  readonly end?: () => unknown;
}

/** What can be between the engine and the server. */
const ways: { name: string; database: 'postgres' | 'mariadb'; open(url: string): Opened }[] = [
  { name: 'PostgreSQL, a URL', database: 'postgres', open: (url) => ({ store: new SqlStore({ url }) }) },
  {
    // Nobody listens to its errors but the store.
    name: 'PostgreSQL, a pool',
    database: 'postgres',
    open(connectionString) {
      const client = new pg.Pool({ connectionString, max: 10 });
      return { store: new SqlStore({ client }), end: () => client.end() };
    },
  },
  {
    name: 'PostgreSQL, Knex',
    database: 'postgres',
    open(connection) {
      const log = { warn: () => {} };
      const client = knex({ client: 'pg', connection, pool: { min: 0, max: 10 }, log });
      return { store: new SqlStore({ client }), end: () => client.destroy() };
    },
  },
  { name: 'MariaDB, a URL', database: 'mariadb', open: (url) => ({ store: new SqlStore({ url }) }) },
  {
    name: 'MariaDB, a pool',
    database: 'mariadb',
    open(uri) {
      const client = mysql.createPool({ uri, connectionLimit: 10 });
      return { store: new SqlStore({ client }), end: () => client.end() };
    },
  },
];

const MOST_CONNECTIONS = 10;

for (const { name, database, open } of ways) {
  const { missing, note, server } = database === 'postgres' ? postgres : mariadb;
  describe.skipIf(missing)(`${name}${note}`, () => {
    let proxy: FaultProxy;
    let url: string;
    let opened: Opened;
    let store: GuardedStore;

    beforeEach(async () => {
      proxy = await startProxy(server!);
      url = server!.url.replace(`:${server!.port}/`, `:${proxy.port}/`);
      const direct = new SqlStore({ url: server!.url });
      await direct.delete('k');
      await direct.write('k', bytes('one'), later(), undefined);
      await direct.close();
      begin();
    });
    afterEach(async () => {
      await end();
      await proxy.close();
    });

    function begin(): void {
      opened = open(url);
      store = new GuardedStore(opened.store, DEADLINE);
    }

    async function end(): Promise<void> {
      await opened.store.close();
      await opened.end?.();
    }

    test('away at the start, then there', async () => {
      await end();
      await proxy.refuse();
      begin();
      await expectFailures(store);
      await proxy.pass();
      await expectRecovery(store, 'one');
    });

    test('away for a while, and back', async () => {
      await expectRecovery(store, 'one');
      await proxy.refuse();
      await expectFailures(store);
      await expectFailures(store);
      await proxy.pass();
      await expectRecovery(store, 'one');
      expect(await store.write('k', bytes('three'), later(), bytes('one'))).toBe('written');
      expect(proxy.open).toBeLessThanOrEqual(MOST_CONNECTIONS);
    });

    test('connections that break are made anew', async () => {
      for (let round = 0; round < 5; round++) {
        await expectRecovery(store, 'one');
        proxy.reset();
      }
      await expectRecovery(store, 'one');
      expect(proxy.accepted).toBeLessThan(20);
    });

    test('silent for longer than the deadline', async () => {
      await expectRecovery(store, 'one');
      server!.pause();
      try {
        await expectFailures(store, 'ERR_SESSION_STORE_TIMEOUT');
      } finally {
        server!.resume();
      }
      // What was under way is done late, or not at all. Nothing is mixed up: each answer belongs to its question.
      await expectRecovery(store, 'one', 'two');
      // A connection that was given up may be the one that is asked next, until the pool has noticed.
      await until(async () => {
        if ((await outcome(() => store.delete('next'))) instanceof Error) return false;
        return (await outcome(() => store.write('next', bytes('three'), later(), undefined))) === 'written';
      }, 'a record is written');
      expect(text(await store.read('next'))).toBe('three');
      expect(proxy.open).toBeLessThanOrEqual(MOST_CONNECTIONS);
    });

    test('silent while it connects', async () => {
      await end();
      proxy.hold();
      begin();
      await expectFailures(store, 'ERR_SESSION_STORE_TIMEOUT');
      await proxy.pass();
      await expectRecovery(store, 'one', 'two');
      expect(proxy.open).toBeLessThanOrEqual(MOST_CONNECTIONS);
    });

    test('cut off in the middle of a reply', async () => {
      const long = 'x'.repeat(60_000);
      await store.write('k', bytes(long), later(), bytes('one'));
      await expectRecovery(store, long);
      for (const at of [1, 5, 100, 50_000]) {
        proxy.cutAfter(at);
        const found = await outcome(() => store.read('k'));
        expect(found).toBeInstanceOf(SessionStoreError);
        await expectRecovery(store, long);
      }
      expect(proxy.open).toBeLessThanOrEqual(MOST_CONNECTIONS);
    });

    test('many calls that were given up leave nothing behind', async () => {
      await expectRecovery(store, 'one');
      proxy.hold();
      const calls = Array.from({ length: 200 }, () => outcome(() => store.read('k')));
      for (const result of await Promise.all(calls))
        expect(result).toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
      await proxy.pass();
      await expectRecovery(store, 'one');
      expect(proxy.open).toBeLessThanOrEqual(MOST_CONNECTIONS);
    });

    test('a restart of the server, which forgets what was prepared', async () => {
      await expectRecovery(store, 'one');
      await server!.shutDown();
      await expectFailures(store);
      await server!.startUp();
      await expectRecovery(store, 'one');
      expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    });

    test('a wrong password, and a database that is not there: what to look at, and never the password', async () => {
      for (const [wrong, message] of [
        [url.replace(/:[^:@/]+@/, ':wrong-password@'), 'it refused the user or the password'],
        [url.replace(/\/\w+$/, '/no_such_database'), 'there is no database of that name'],
      ] as const) {
        const refused = open(wrong);
        for (const failure of await expectFailures(new GuardedStore(refused.store, DEADLINE), 'ERR_SESSION_STORE')) {
          expect(failure.message).toBe(`session store sql: ${message}`);
          expect(`${failure.stack} ${(failure.cause as Error).message}`).not.toContain('wrong-password');
        }
        await refused.store.close();
        await refused.end?.();
      }
    });

    test('records of random bytes', async () => {
      await expectRecovery(store, 'one');
      const events: SessionEvent[] = [];
      const sessions = createSessionInterface({ store: opened.store, onEvent: (event) => events.push(event) });
      const visitor = new Visitor(sessions);
      const garbage = [Buffer.from([0xc1, 0xff, 0x00]), Buffer.alloc(0), Buffer.from('}{'), Buffer.alloc(5000, 0x91)];
      for (const record of garbage) {
        await visitor.visit((session) => void session.set('a', 1));
        const key = (visitor.sessions as unknown as { storeKey(sid: string): string }).storeKey(visitor.cookie!);
        const there = await store.read(key);
        expect(await store.write(key, record, later(), there!.bytes)).toBe('written');
        const { value } = await visitor.twin().visit((session) => [session.isNew, session.get('a')]);
        expect(value).toEqual([true, undefined]);
        visitor.cookie = undefined;
      }
      expect(events.filter((event) => event.type === 'not-resumed')).toHaveLength(garbage.length);
    });
  });
}

describe.skipIf(postgres.missing)(`rights in PostgreSQL${postgres.note}`, () => {
  let admin: pg.Pool;
  let url: string;
  beforeAll(async () => {
    admin = new pg.Pool({ connectionString: postgres.server!.url, max: 1 });
    await admin.query("CREATE ROLE visitor LOGIN PASSWORD 'visitor'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    url = postgres.server!.url.replace(/\/\/.*@/, '//visitor:visitor@');
  });
  afterAll(() => admin.end());

  test('none to make a table, none to use it, some, and all', async () => {
    const own = new SqlStore({ url, table: 'of_somebody' });
    const store = new GuardedStore(own, DEADLINE);
    const told = 'session store sql: the user has no right to do this';
    for (const { message } of await expectFailures(store, 'ERR_SESSION_STORE')) expect(message).toContain(told);
    const made = new SqlStore({ url: postgres.server!.url, table: 'of_somebody' });
    await made.setup();
    await made.close();
    for (const { message } of await expectFailures(store, 'ERR_SESSION_STORE')) expect(message).toContain(told);
    await admin.query('GRANT SELECT ON of_somebody TO visitor');
    expect(await store.read('k')).toBeUndefined();
    expect(await outcome(() => store.write('k', bytes('one'), later(), undefined))).toMatchObject({
      code: 'ERR_SESSION_STORE',
      operation: 'write',
      message: expect.stringContaining(told),
    });
    await admin.query(
      'GRANT INSERT, UPDATE, DELETE ON of_somebody TO visitor; GRANT USAGE ON of_somebody_id_seq TO visitor',
    );
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect(await store.delete('k')).toBe(true);
    await own.close();
  });
});

describe.skipIf(postgres.missing)(`ids${postgres.note}`, () => {
  test('that the sequence gives, and somebody has taken, are passed over', async () => {
    const pool = new pg.Pool({ connectionString: postgres.server!.url, max: 1 });
    const store = new SqlStore({ client: pool, table: 'taken' });
    await store.setup();
    await pool.query('INSERT INTO taken (id) SELECT generate_series(1, 10)');
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    const { rows } = await pool.query("SELECT id FROM taken WHERE session_id = 'k'");
    expect(rows).toEqual([{ id: 11 }]);
    await pool.end();
  });
});

describe.skipIf(mariadb.missing)(`rights and modes in MariaDB${mariadb.note}`, () => {
  let admin: mysql.Pool;
  beforeAll(() => {
    admin = mysql.createPool({ uri: mariadb.server!.url, connectionLimit: 1 });
  });
  afterAll(() => admin.end());

  test('a user without rights', async () => {
    await admin.query("CREATE USER visitor@'%' IDENTIFIED BY 'visitor'");
    await admin.query("GRANT SELECT ON flacon.nothing_else TO visitor@'%'").catch(() => {});
    const url = mariadb.server!.url.replace(/\/\/.*@/, '//visitor:visitor@');
    const own = new SqlStore({ url, table: 'of_somebody' });
    const failures = await expectFailures(new GuardedStore(own, DEADLINE), 'ERR_SESSION_STORE');
    for (const { message } of failures) {
      expect(message).toContain('session store sql: the user has no right to do this');
    }
    await own.close();
  });

  test('a record that is too long is an error and not cut, also where the server would', async () => {
    const lenient = mysql.createPool({ uri: mariadb.server!.url, connectionLimit: 1 });
    lenient.pool.on('connection', (connection) => void connection.query("SET sql_mode = ''"));
    const store = new SqlStore({ client: lenient, table: 'limited' });
    const most = Buffer.alloc(65_535, 1);
    expect(await store.write('k', most, later(), undefined)).toBe('written');
    const tooLong = [
      () => store.write('k', Buffer.alloc(65_536), later(), most),
      () => store.write('l', Buffer.alloc(65_536), later(), undefined),
    ];
    for (const write of tooLong) {
      expect(await outcome(write)).toMatchObject({
        code: 'ERR_SESSION_STORE',
        message: expect.stringMatching(
          /a record of 65536 bytes, .* holds 65535: ALTER TABLE `limited` MODIFY data MEDIUMBLOB$/,
        ),
      });
    }
    expect(most.equals((await store.read('k'))!.bytes)).toBe(true);
    expect(await store.read('l')).toBeUndefined();
    // As told.
    await admin.query('ALTER TABLE limited MODIFY data MEDIUMBLOB');
    const again = new SqlStore({ client: lenient, table: 'limited' });
    expect(await again.write('l', Buffer.alloc(65_536), later(), undefined)).toBe('written');
    await lenient.end();
  });

  test('a key that would be cut is an error', async () => {
    await admin.query(
      'CREATE TABLE short (id int PRIMARY KEY AUTO_INCREMENT, session_id varchar(10) UNIQUE, data blob, expiry datetime)',
    );
    const store = new SqlStore({ client: admin, table: 'short' });
    expect(await outcome(() => store.write('12345678901', bytes('x'), later(), undefined))).toMatchObject({
      message: 'session store sql: the column session_id holds 10 characters',
    });
  });

  test('a table without a unique index is refused, with the statement that helps', async () => {
    await admin.query(
      'CREATE TABLE twice (id int PRIMARY KEY AUTO_INCREMENT, session_id varchar(255), data blob, expiry datetime)',
    );
    const store = new SqlStore({ client: admin, table: 'twice' });
    const failure = (await outcome(() => store.setup())) as Error;
    expect(failure).toBeInstanceOf(SessionConfigError);
    const [, help] = /(ALTER TABLE .*)$/.exec(failure.message)!;
    await admin.query(help!);
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
  });

  test('keys that a collation takes for the same are never mixed up', async () => {
    await admin.query('CREATE DATABASE careless COLLATE utf8mb4_general_ci');
    const store = new SqlStore({ client: admin, schema: 'careless' });
    expect(await store.write('session:Abc', bytes('one'), later(), undefined)).toBe('written');
    for (const other of ['session:abc', 'session:Abc ']) {
      expect(await store.read(other)).toBeUndefined();
      expect(await store.touch(other, later())).toBe(false);
      expect(await store.delete(other)).toBe(false);
      expect(await store.write(other, bytes('two'), later(), bytes('one'))).toBe('gone');
      expect(await outcome(() => store.write(other, bytes('two'), later(), undefined))).toMatchObject({
        code: 'ERR_SESSION_STORE',
        message: expect.stringContaining('differs in case only'),
      });
    }
    expect(text(await store.read('session:Abc'))).toBe('one');
  });

  test('values are not written into statements where that cannot be done safely', async () => {
    const mode = mysql.createPool({ uri: mariadb.server!.url, connectionLimit: 1 });
    mode.pool.on('connection', (connection) => void connection.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'"));
    const options: SqlStoreOptions = { client: mode, table: 'modes' };
    const refused = new SqlStore({ ...options, prepare: false });
    await expect(refused.setup()).rejects.toThrow(/^client: .*NO_BACKSLASH_ESCAPES; expected .*prepared statements/);
    const prepared = new SqlStore(options);
    const hostile = "\\' OR 1=1 -- ";
    expect(await prepared.write(hostile, bytes('one'), later(), undefined)).toBe('written');
    expect(text(await prepared.read(hostile))).toBe('one');
    await mode.end();
  });
});

describe.skipIf(postgres.missing)(`an application's transaction on the same client${postgres.note}`, () => {
  const BY_HAND = 'id integer primary key not null, session_id varchar(255), data bytea, expiry timestamp';

  test.each(['as it is made', 'made by hand'])('is neither begun nor ended, with a table %s', async (kind) => {
    const client = new pg.Client({ connectionString: postgres.server!.url });
    await client.connect();
    const table = kind === 'made by hand' ? 'transacted_by_hand' : 'transacted';
    await client.query(`CREATE TABLE IF NOT EXISTS of_the_application (n int)`);
    if (kind === 'made by hand') await client.query(`CREATE TABLE ${table} (${BY_HAND})`);
    const sent: string[] = [];
    const { query } = client;
    client.query = ((config: { text?: string } | string, ...rest: unknown[]) => {
      sent.push(typeof config === 'string' ? config : config.text!);
      return Reflect.apply(query, client, [config, ...rest]);
    }) as typeof query;
    const store = new SqlStore({ client, table });
    await store.setup();
    await store.write('before', bytes('one'), later(), undefined);

    await client.query('BEGIN');
    await client.query('INSERT INTO of_the_application VALUES (1)');
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toMatchObject({ conflict: {} });
    expect(await store.write('k', bytes('two'), later(), undefined)).toMatchObject({ conflict: {} });
    expect(await store.touch('k', later())).toBe(true);
    expect(client.getTransactionStatus()).toBe('T');
    await client.query('ROLLBACK');

    // The store's writes went with it, as those of the application did.
    expect(await store.read('k')).toBeUndefined();
    expect(text(await store.read('before'))).toBe('one');
    const { rows } = await client.query('SELECT count(*)::int AS n FROM of_the_application');
    expect(rows).toEqual([{ n: 0 }]);
    const mine = sent.filter((text) => !/^(?:BEGIN|ROLLBACK|INSERT INTO of_the|SELECT count)/.test(text));
    expect(mine.filter((text) => /\b(?:BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\b/i.test(text))).toEqual([]);
    await store.close();
    await client.end();
  });

  test('of a pool is never touched', async () => {
    const pool = new pg.Pool({ connectionString: postgres.server!.url, max: 3 });
    const store = new SqlStore({ client: pool, table: 'pooled' });
    await store.setup();
    const client = await pool.connect();
    await client.query('BEGIN');
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    await client.query('ROLLBACK');
    client.release();
    expect(text(await store.read('k'))).toBe('one');
    await pool.end();
  });
});

describe.skipIf(postgres.missing)(`prepared statements${postgres.note}`, () => {
  test.each([
    { prepare: true, kept: 2 },
    { prepare: false, kept: 0 },
  ])('prepare: $prepare', async ({ prepare, kept }) => {
    const pool = new pg.Pool({ connectionString: postgres.server!.url, max: 1 });
    const store = new SqlStore({ client: pool, table: 'prepared', prepare });
    for (let n = 0; n < 3; n++) {
      await store.read('k');
      await store.touch('k', later());
    }
    const { rows } = await pool.query('SELECT name FROM pg_prepared_statements');
    expect(rows).toHaveLength(kept);
    await pool.end();
  });
});
