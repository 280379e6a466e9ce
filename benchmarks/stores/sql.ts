/** Each database through its driver: the verbs of the store, and the same statements run by hand. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import BetterSqlite from 'better-sqlite3';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type SqlClient, SqlStore } from '../../src/stores/sql.ts';
import { startMariadb } from '../../test/servers/mariadb.ts';
import { startPostgres } from '../../test/servers/postgres.ts';
import type { StoreCase, StoreCases } from '../stores.ts';

const RECORD = Buffer.alloc(500, 0xa7);
const OTHER = Buffer.alloc(500, 0xa8);
const LATER = Math.floor(Date.now() / 1000) * 1000 + 86_400_000;
const keys = Array.from({ length: 64 }, (_, worker) => `bench:${worker}`);

type Value = string | Buffer;
type Sent = (sql: string, values: Value[]) => void;

interface Driver {
  readonly name: string;
  readonly client: object;
  /** The same client, which tells what it is sent. */
  told(sent: Sent): object;
  run(sql: string, values: Value[]): unknown;
}

/** What the store sends for a verb is found out once; then the driver is given the same, with each worker's own key. */
async function casesOf(driver: Driver): Promise<StoreCase[]> {
  const statements: { sql: string; values: Value[] }[] = [];
  const telling = new SqlStore({
    client: driver.told((sql, values) => statements.push({ sql, values: [...values] })) as SqlClient,
  });
  const verbs: Record<string, (store: SqlStore, key: string) => Promise<unknown>> = {
    read: (store, key) => store.read(key),
    write: (store, key) => store.write(key, RECORD, LATER, RECORD),
    'write, and a conflict': (store, key) => store.write(key, RECORD, LATER, OTHER),
    touch: (store, key) => store.touch(key, LATER),
    'delete what is not there': (store, key) => store.delete(`${key}:none`),
  };
  const store = new SqlStore({ client: driver.client as SqlClient });
  for (const key of keys) {
    await store.delete(key);
    assert.equal(await store.write(key, RECORD, LATER, undefined), 'written');
    assert.equal(await store.write(key, RECORD, LATER, RECORD), 'written');
    assert.deepEqual(await store.read(key), { bytes: RECORD, expiresAt: LATER });
    assert.deepEqual(await store.write(key, RECORD, LATER, OTHER), { conflict: { bytes: RECORD, expiresAt: LATER } });
    assert.equal(await store.touch(key, LATER), true);
  }
  await telling.setup();
  const made: StoreCase[] = [];
  for (const [verb, call] of Object.entries(verbs)) {
    statements.length = 0;
    await call(telling, 'bench:0');
    const same = statements.map(({ sql, values }) => ({ sql, values: values.map(toValue) }));
    // Only where the database cannot answer a row in place of a change are there two.
    assert.ok(same.length === 1 || verb === 'write, and a conflict');
    const bare = async (worker: number) => {
      for (const { sql, values } of same) {
        await driver.run(
          sql,
          values.map((value) => value(worker)),
        );
      }
    };
    made.push({
      name: `${driver.name}: ${verb}`,
      store: (worker) => call(store, keys[worker]!),
      bare,
    });
  }
  return made;
}

/** The same value for another worker, at another time. */
function toValue(value: Value): (worker: number) => Value {
  if (typeof value !== 'string') return () => value;
  if (value.startsWith('bench:0')) return (worker) => keys[worker]! + value.slice('bench:0'.length);
  const fraction = value.slice(19);
  const isLater = Math.abs(Date.parse(`${value.slice(0, 19)}Z`) - LATER) < 1000;
  return () => {
    const iso = new Date(isLater ? LATER : Date.now()).toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, fraction ? 23 : 19)}${fraction ? '000' : ''}`;
  };
}

function pgDriver(pool: pg.Pool): Driver {
  const names = new Map<string, string>();
  return {
    name: 'pg',
    client: pool,
    told: (sent) => ({
      totalCount: 0,
      query(query: { text: string; values?: Value[] }) {
        sent(query.text, query.values ?? []);
        return pool.query(query as pg.QueryConfig);
      },
    }),
    run(text, values) {
      const name = names.get(text) ?? `bare_${names.size}`;
      names.set(text, name);
      return pool.query({ name, text, values, rowMode: 'array' });
    },
  };
}

function mysqlDriver(pool: mysql.Pool): Driver {
  const told = (method: 'execute' | 'query', sent: Sent) => (query: mysql.QueryOptions, values: Value[]) => {
    sent(query.sql, values);
    return pool[method](query, values);
  };
  return {
    name: 'mysql2',
    client: pool,
    told: (sent) => ({ execute: told('execute', sent), query: told('query', sent) }),
    run: (sql, values) => pool.execute({ sql, rowsAsArray: true }, values),
  };
}

function sqliteDriver(name: string, database: DatabaseSync | BetterSqlite.Database): Driver {
  const prepared = new Map<string, ReturnType<DatabaseSync['prepare']> | BetterSqlite.Statement>();
  return {
    name,
    client: database,
    told: (sent) => ({
      exec: (sql: string) => database.exec(sql),
      prepare(sql: string) {
        const statement = database.prepare(sql);
        const told =
          (method: 'all' | 'get' | 'run') =>
          (...values: Value[]) => {
            sent(sql, values);
            return statement[method](...values);
          };
        return { all: told('all'), get: told('get'), run: told('run') };
      },
    }),
    run(sql, values) {
      const statement = prepared.get(sql) ?? database.prepare(sql);
      prepared.set(sql, statement);
      return sql.startsWith('SELECT') ? statement.get(...values) : statement.run(...values);
    },
  };
}

export async function cases(): Promise<StoreCases> {
  const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  const pool = new pg.Pool({ connectionString: postgres.url });
  const mysqlPool = mysql.createPool({ uri: mariadb.url });
  const directory = mkdtempSync(join(tmpdir(), 'flacon-benchmark-'));
  const databases = [
    new DatabaseSync(join(directory, 'node.db')),
    new BetterSqlite(join(directory, 'better.db')),
  ] as const;
  for (const database of databases) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  const drivers = [
    pgDriver(pool),
    mysqlDriver(mysqlPool),
    sqliteDriver('node:sqlite', databases[0]),
    sqliteDriver('better-sqlite3', databases[1]),
  ];
  const all: StoreCase[] = [];
  for (const driver of drivers) all.push(...(await casesOf(driver)));
  return {
    cases: all,
    async close() {
      for (const database of databases) database.close();
      rmSync(directory, { recursive: true });
      await Promise.all([pool.end(), mysqlPool.end()]);
      await Promise.all([postgres.stop(), mariadb.stop()]);
    },
  };
}
