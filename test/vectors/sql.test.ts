/**
 * What Flask-Session stored through SQLAlchemy is read, and the same record at the same time makes the same row; a table that is
 * missing is made with the same statements. On each of the three databases, and in the layout of the development branch.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PostgresqlStore, type SqlClient, SqlStore } from 'flacon/stores/sql';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMariadb } from '../servers/mariadb.ts';
import { startPostgres } from '../servers/postgres.ts';
import { available } from '../servers/process.ts';
import { loadVectors } from './load.ts';

interface RowVector {
  name: string;
  key_prefix: string;
  sid: string;
  lifetime_seconds: number;
  /** Seconds since 1970; the recording clock stood some microseconds later. */
  now: number;
  /** Absent where saving was refused. */
  row: { session_id: string; data_hex: string; expiry_text: string };
}

interface ExpiryVector {
  name: string;
  expiry_minus_now_seconds: number;
  reads_back: unknown;
  row_still_there: boolean;
}

interface Ddl {
  dialect: Dialect;
  variant: string;
  options: { table?: string; schema?: string; sequence?: string };
  statements: string[];
}

type Dialect = 'sqlite' | 'postgresql' | 'mysql';

const { vectors, meta } = loadVectors<RowVector | ExpiryVector>('store_sqlalchemy');
const { ddl, usec } = meta as unknown as { ddl: Ddl[]; usec: number };

/** A database that the test looks into past the store. */
interface Look {
  readonly client: SqlClient;
  readonly wrap: (log: string[]) => SqlClient;
  run(sql: string, values?: (string | number | Buffer | null)[]): Promise<Record<string, unknown>[]>;
  /** The column as text, and the placeholder of a parameter. */
  readonly expiryText: string;
  readonly placeholder: (n: number) => string;
  close(): unknown;
}

const directory = mkdtempSync(join(tmpdir(), 'flacon-vectors-'));
const [postgres, mariadb] = await Promise.all([available(startPostgres), available(startMariadb)]);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all([postgres.server?.stop(), mariadb.server?.stop()]);
});

const open: Record<Dialect, () => Promise<Look>> = {
  async sqlite() {
    const database = new DatabaseSync(join(directory, 'app.db'));
    return {
      client: database,
      wrap: (log) => ({
        exec: (sql) => database.exec(sql),
        prepare: (sql) => {
          log.push(sql);
          return database.prepare(sql) as never;
        },
      }),
      run: async (sql, values = []) => database.prepare(sql).all(...values) as Record<string, unknown>[],
      expiryText: 'expiry',
      placeholder: () => '?',
      close: () => database.close(),
    };
  },
  async postgresql() {
    const pool = new pg.Pool({ connectionString: postgres.server!.url, max: 2 });
    return {
      client: pool,
      wrap: (log) => ({
        totalCount: 0,
        query: (query: { text: string }) => {
          log.push(query.text);
          return pool.query(query as never);
        },
      }),
      run: async (sql, values) => (await pool.query(sql, values)).rows,
      expiryText: 'expiry::text',
      placeholder: (n) => `$${n}`,
      close: () => pool.end(),
    };
  },
  async mysql() {
    const pool = mysql.createPool({ uri: mariadb.server!.url, connectionLimit: 2 });
    await pool.query('CREATE DATABASE IF NOT EXISTS sess');
    return {
      client: pool,
      wrap: (log) => ({
        execute: (query, values) => pool.execute(query as never, values) as never,
        query: (query, values) => {
          log.push(query.sql);
          return pool.query(query as never, values) as never;
        },
      }),
      run: async (sql, values) => (await pool.query(sql, values))[0] as Record<string, unknown>[],
      expiryText: 'CAST(expiry AS CHAR)',
      placeholder: () => '?',
      close: () => pool.end(),
    };
  },
};

const databases = [
  { dialect: 'sqlite', missing: false, note: '' },
  { dialect: 'postgresql', ...postgres },
  { dialect: 'mysql', ...mariadb },
] as const;

for (const { dialect, missing, note } of databases) {
  describe.skipIf(missing)(`${dialect}${note}`, () => {
    let look: Look;
    let store: SqlStore;
    let time = 0;
    const clock = (vector: RowVector) => vector.now * 1000 + usec / 1000;
    beforeAll(async () => {
      look = await open[dialect]();
      await look.run('DROP TABLE IF EXISTS sessions');
      store = new SqlStore({ client: look.client, now: () => time });
    });
    afterAll(() => look.close());
    const mine = vectors.filter(({ name }) => name.startsWith(`${dialect}/`));
    const rows = mine.filter((vector): vector is RowVector => 'row' in vector);

    const rowOf = async (key: string) => {
      const [row] = await look.run(
        `SELECT session_id, data, ${look.expiryText} AS expiry FROM sessions WHERE session_id = ${look.placeholder(1)}`,
        [key],
      );
      return (
        row && {
          session_id: row.session_id,
          data_hex: Buffer.from(row.data as Uint8Array).toString('hex'),
          expiry_text: row.expiry,
        }
      );
    };
    const { placeholder } = { placeholder: (n: number) => look.placeholder(n) };
    const insert = (key: string, data: Buffer, expiry: string) =>
      look.run(`INSERT INTO sessions (session_id, data, expiry) VALUES (${[1, 2, 3].map(placeholder).join(', ')})`, [
        key,
        data,
        expiry,
      ]);

    describe('the table is made as SQLAlchemy made it', () => {
      for (const { variant, options, statements } of ddl.filter((each) => each.dialect === dialect)) {
        test(variant, async () => {
          const { table = 'sessions', schema, sequence } = options;
          await look.run(`DROP TABLE IF EXISTS ${schema ? `${schema}.` : ''}${table}`);
          if (sequence && dialect === 'postgresql') await look.run(`DROP SEQUENCE IF EXISTS ${sequence}`);
          const log: string[] = [];
          const made = new SqlStore({ client: look.wrap(log), ...options });
          await made.setup();
          // Names are always quoted, which changes nothing about them.
          const creations = log.filter((sql) => /^\s*CREATE/.test(sql)).map((sql) => sql.replace(/["`]/g, ''));
          expect(creations).toEqual(statements);
          // And it works.
          expect(await made.write('k', Buffer.from('one'), Date.now() + 60_000, undefined)).toBe('written');
          const later: string[] = [];
          await new SqlStore({ client: look.wrap(later), ...options }).setup();
          expect(later.filter((sql) => /CREATE/.test(sql))).toEqual([]);
        });
      }
    });

    describe('what Flask-Session stored is read', () => {
      for (const vector of rows) {
        test(vector.name, async () => {
          const { session_id: key, data_hex: hex, expiry_text: expiry } = vector.row;
          await insert(key, Buffer.from(hex, 'hex'), expiry);
          time = clock(vector);
          const found = await store.read(key);
          expect(Buffer.from(found!.bytes).toString('hex')).toBe(hex);
          const fraction = dialect === 'mysql' ? 0 : usec / 1000;
          expect(found!.expiresAt).toBe((vector.now + vector.lifetime_seconds) * 1000 + fraction);
          const next = Buffer.from([0x81, 0xa1, 0x61, 0x02]);
          expect(await store.write(key, next, time + 60_000, found!.bytes)).toBe('written');
          expect((await rowOf(key))!.data_hex).toBe('81a16102');
          expect(await store.delete(key)).toBe(true);
          expect(await rowOf(key)).toBeUndefined();
        });
      }
    });

    describe('what is stored is what Flask-Session stored', () => {
      for (const vector of rows) {
        test(vector.name, async () => {
          time = clock(vector);
          const key = vector.key_prefix + vector.sid;
          const record = Buffer.from(vector.row.data_hex, 'hex');
          const { row } = vector;
          const expiresAt = time + vector.lifetime_seconds * 1000;
          const expected = { session_id: row.session_id, data_hex: row.data_hex, expiry_text: row.expiry_text };
          expect(await store.write(key, record, expiresAt, undefined)).toBe('written');
          expect(await rowOf(key)).toEqual(expected);
          expect(await store.write(key, Buffer.from('80', 'hex'), time + 60_000, record)).toBe('written');
          expect(await store.write(key, record, expiresAt, Buffer.from('80', 'hex'))).toBe('written');
          expect(await store.touch(key, expiresAt)).toBe(true);
          expect(await rowOf(key)).toEqual(expected);
          await store.delete(key);
        });
      }
    });

    describe('deadlines', () => {
      for (const vector of mine.filter((each): each is ExpiryVector => 'row_still_there' in each)) {
        test(vector.name, async () => {
          const key = `session:${vector.name}`;
          time = 1_900_000_000_000;
          const expiry = new Date(time + vector.expiry_minus_now_seconds * 1000).toISOString();
          await insert(key, Buffer.from('81a16101', 'hex'), `${expiry.slice(0, 10)} ${expiry.slice(11, 19)}`);
          const found = await store.read(key);
          expect(found !== undefined).toBe(vector.reads_back !== null);
          expect((await rowOf(key)) !== undefined).toBe(vector.row_still_there);
        });
      }

      test('a row without one has expired', async () => {
        time = 1_900_000_000_000;
        await look.run(`INSERT INTO sessions (session_id, data) VALUES (${placeholder(1)}, ${placeholder(2)})`, [
          'session:without',
          Buffer.from('80', 'hex'),
        ]);
        expect(await store.touch('session:without', time + 60_000)).toBe(false);
        expect(await store.read('session:without')).toBeUndefined();
        expect(await rowOf('session:without')).toBeUndefined();
      });
    });
  });
}

interface PostgresqlVector {
  name: string;
  key: string;
  lifetime_seconds: number;
  data_hex?: string;
  expiry_minus_utc_now: number;
}

describe.skipIf(postgres.missing)(`the layout postgresql${postgres.note}`, () => {
  const { vectors, meta } = loadVectors<PostgresqlVector>('store_postgresql');
  const { setup, queries } = meta as unknown as { setup: string[]; queries: Record<string, string> };
  /** With the parameters of psycopg2 in the text. */
  const filled = (query: string, key: string, data: string, ttl: number) =>
    query
      .replaceAll('%(session_id)s', `'${key}'`)
      .replaceAll('%(data)s', `'\\x${data}'::bytea`)
      .replaceAll('%(ttl)s', `'${Math.floor(ttl / 86_400)} days ${(ttl % 86_400).toFixed(6)} seconds'::interval`);
  const statements = (texts: string[]) =>
    texts
      .flatMap((text) => text.split(';'))
      .map(plain)
      .filter(Boolean);
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
  const pools: pg.Pool[] = [];
  const poolIn = (timezone: string) => {
    const pool = new pg.Pool({ connectionString: postgres.server!.url, max: 2, options: `-c timezone=${timezone}` });
    pools.push(pool);
    return pool;
  };
  afterAll(() => Promise.all(pools.map((pool) => pool.end())));
  const secondsLeft = async (pool: pg.Pool, key: string): Promise<number> => {
    const { rows } = await pool.query(
      `SELECT extract(epoch FROM expiry - (NOW() AT TIME ZONE 'utc'))::float8 AS left FROM flask_sessions WHERE session_id = $1`,
      [key],
    );
    return rows[0]!.left;
  };

  test('the table is made with the same statements', async () => {
    const pool = poolIn('UTC');
    await pool.query('DROP TABLE IF EXISTS flask_sessions');
    const log: string[] = [];
    const query = (each: { text: string }) => {
      log.push(each.text);
      return pool.query(each as never);
    };
    await new PostgresqlStore({ client: { totalCount: 0, query } }).setup();
    const made = statements(log.filter((text) => /^\s*CREATE/.test(text)));
    // The schema is there: to make it takes a right that an application need not have.
    expect(made).toEqual(statements(setup).filter((text) => !/CREATE SCHEMA/.test(text)));
  });

  for (const vector of vectors.filter(({ data_hex }) => data_hex !== undefined)) {
    const { name, key, data_hex: hex, lifetime_seconds: lifetime } = vector as Required<PostgresqlVector>;
    test(name, async () => {
      const pool = pools[0] ?? poolIn('UTC');
      const store = new PostgresqlStore({ client: pool });
      await store.setup();
      await pool.query(filled(queries.upsert_session!, key, hex, lifetime));
      const found = await store.read(key);
      expect(Buffer.from(found!.bytes).toString('hex')).toBe(hex);
      expect(Math.abs(found!.expiresAt - Date.now() - lifetime * 1000)).toBeLessThan(60_000);
      expect(await store.write(key, Buffer.from('80', 'hex'), Date.now() + 60_000, found!.bytes)).toBe('written');
      expect(await store.write(key, found!.bytes, Date.now() + lifetime * 1000, Buffer.from('80', 'hex'))).toBe(
        'written',
      );
      const retrieved = (await pool.query(
        filled(queries.retrieve_session_data!, key, '', 0),
      )) as unknown as pg.QueryResult[];
      expect(retrieved.at(-1)!.rows[0].data.toString('hex')).toBe(hex);
      expect(Math.abs((await secondsLeft(pool, key)) - vector.expiry_minus_utc_now)).toBeLessThan(60);
      const { rows } = await pool.query(
        `SELECT abs(extract(epoch FROM created - (NOW() AT TIME ZONE 'utc'))::float8) < 60 AS recent FROM flask_sessions WHERE session_id = $1`,
        [key],
      );
      expect(rows).toEqual([{ recent: true }]);
    });
  }

  for (const vector of vectors.filter(({ name }) => name.startsWith('connection-timezone/'))) {
    test(`${vector.name}: the deadline is the connection's local time`, async () => {
      const pool = poolIn(vector.name.slice('connection-timezone/'.length));
      const store = new PostgresqlStore({ client: pool });
      const key = `session:${vector.name}`;
      // Half a year of daylight saving may lie between then and now: whole hours are what the recorded difference is about.
      const offset = await pool.query('SELECT extract(timezone FROM now() + $1::interval)::int AS seconds', [
        `${vector.lifetime_seconds} seconds`,
      ]);
      const expiresAt = Date.now() + vector.lifetime_seconds * 1000;
      expect(await store.write(key, Buffer.from('80', 'hex'), expiresAt, undefined)).toBe('written');
      const expected = vector.lifetime_seconds + offset.rows[0].seconds;
      expect(Math.abs((await secondsLeft(pool, key)) - expected)).toBeLessThan(60);
      expect(Math.abs(expected - vector.expiry_minus_utc_now)).toBeOneOf([0, 3600]);
      expect((await store.read(key))!.expiresAt).toBe(expiresAt);
      const others = (await pool.query(
        filled(queries.retrieve_session_data!, key, '', 0),
      )) as unknown as pg.QueryResult[];
      expect(others.at(-1)!.rows).toHaveLength(1);
      expect(await store.delete(key)).toBe(true);
    });
  }
});
