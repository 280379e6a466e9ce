/** What the documentation says is accepted, compiles, and is told apart by its shape. */
import { DatabaseSync } from 'node:sqlite';
import BetterSqlite from 'better-sqlite3';
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { PostgresqlStore, SqlStore } from 'flacon/stores/sql';
import knex from 'knex';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';
import { prismaOver } from '../../servers/prisma-wrapper.ts';

interface Schema {
  user: { id: number };
}

/** None of them connects by itself. */
const pgPool = new pg.Pool({ port: 1 });
const mysqlPool = mysql.createPool({ port: 1 });
const better = new BetterSqlite(':memory:');
const sqlite = new DatabaseSync(':memory:');
const kyselyPg = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pgPool }) });
const kyselySqlite = new Kysely<Schema>({ dialect: new SqliteDialect({ database: better }) });
const knexSqlite = knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true });
const prisma = prismaOver(pgPool);
const without = { ...prisma, _activeProvider: undefined };
const other = { ...prisma, _activeProvider: 'sqlserver' };
afterAll(async () => {
  better.close();
  sqlite.close();
  await Promise.all([pgPool.end(), mysqlPool.promise().end(), knexSqlite.destroy()]);
});

test('every object that is documented is accepted', () => {
  new SqlStore({ client: pgPool });
  new SqlStore({ client: new pg.Client({ port: 1 }) });
  new SqlStore({ client: mysqlPool });
  new SqlStore({ client: mysqlPool.promise() });
  new SqlStore({ client: mysqlPromise.createPool({ port: 1 }) });
  new SqlStore({ client: sqlite });
  new SqlStore({ client: better });
  new SqlStore({ client: kyselyPg });
  new SqlStore({ client: kyselySqlite });
  new SqlStore({ client: new Kysely<Schema>({ dialect: new MysqlDialect({ pool: mysqlPool }) }) });
  new SqlStore({ client: knexSqlite });
  new SqlStore({ client: drizzlePg(pgPool) });
  new SqlStore({ client: drizzleMysql(mysqlPool) });
  new SqlStore({ client: drizzleSqlite(better) });
  new SqlStore({ client: prisma });
  new PostgresqlStore({ client: pgPool });
  type Connections = SqlStore | ((client: pg.PoolClient, connection: mysqlPromise.Connection) => SqlStore[]);
  const connections: Connections = (client, connection) => [
    new SqlStore({ client }),
    new SqlStore({ client: connection }),
  ];
  expect(connections).toBeTypeOf('function');
});

describe('what cannot work is refused at once, with what would', () => {
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'an object',
      // @ts-expect-error: no client
      () => new SqlStore({ client: {} }),
      /^client: got an object, which is none that is known; expected a pool/,
    ],
    ['nothing', () => new SqlStore({}), /^client: got neither a client nor a url/],
    ['two', () => new SqlStore({ client: pgPool, url: 'sqlite://' }), /^client: got a client and a url/],
    // @ts-expect-error: null
    ['null', () => new SqlStore({ client: null }), /^client: got null/],
    // @ts-expect-error: text
    ['text as a client', () => new SqlStore({ client: 'sqlite://' }), /^client: got string/],
    ['a table', () => new SqlStore({ client: pgPool, table: 'a"b' }), /^table: got "a\\"b"/],
    ['a schema in the table', () => new SqlStore({ client: pgPool, table: 'a.b' }), /^table: /],
    ['a long name', () => new SqlStore({ client: pgPool, table: 'ä'.repeat(32) }), /^table: .*63 bytes/],
    ['an empty name', () => new SqlStore({ client: pgPool, schema: '' }), /^schema: /],
    ['a placeholder', () => new SqlStore({ client: pgPool, table: 'a$1' }), /^table: /],
    ['another placeholder', () => new SqlStore({ client: pgPool, sequence: 'a?' }), /^sequence: /],
    // @ts-expect-error: no layout
    ['a layout', () => new SqlStore({ client: pgPool, layout: 'mine' }), /^layout: got "mine"/],
    // @ts-expect-error: no dialect
    ['a dialect', () => new SqlStore({ client: pgPool, dialect: 'oracle' }), /^dialect: got "oracle"/],
    ['cleanupEvery', () => new SqlStore({ client: pgPool, cleanupEvery: -1 }), /^cleanupEvery: got -1/],
    [
      'a layout of another database',
      () => new PostgresqlStore({ client: better }),
      /^layout: got postgresql, on sqlite/,
    ],
    ['the same by a URL', () => new PostgresqlStore({ url: 'mysql://h/d' }), /^layout: got postgresql, on mysql/],
    [
      'a Prisma client without its database',
      () => new SqlStore({ client: without }),
      /^client: got a Prisma client that does not say for what; .*`dialect`/,
    ],
    [
      'a Prisma client of another database',
      () => new SqlStore({ client: other }),
      /^client: got a Prisma client of the provider sqlserver/,
    ],
    [
      'a transaction of Prisma',
      () => new SqlStore({ client: { ...prisma, $transaction: undefined } as never }),
      /^client: got a transaction of Prisma's/,
    ],
  ];
  test.each(refusals)('%s', (_, make, message) => {
    expect(make).toThrow(SessionConfigError);
    expect(make).toThrow(message);
  });

  test('a transaction of Kysely or of Knex, which ends', async () => {
    await kyselySqlite.transaction().execute(async (transaction) => {
      expect(() => new SqlStore({ client: transaction })).toThrow(/^client: got a transaction of Kysely's/);
    });
    await knexSqlite.transaction(async (transaction) => {
      expect(() => new SqlStore({ client: transaction })).toThrow(/^client: got a transaction of Knex's/);
    });
  });
});

test('a Prisma client that does not say what it is for is told by `dialect`', () => {
  new SqlStore({ client: without, dialect: 'postgresql' });
});

test('a client is listened to once, however many stores there are, and until the last is closed', async () => {
  const pool = new pg.Pool({ port: 1 });
  const stores = Array.from({ length: 20 }, () => new SqlStore({ client: pool }));
  expect(pool.listenerCount('error')).toBe(1);
  expect(() => pool.emit('error', new Error('idle'), {} as pg.PoolClient)).not.toThrow();
  for (const store of stores.slice(1)) await store.close();
  expect(pool.listenerCount('error')).toBe(1);
  await stores[1]!.close();
  expect(pool.listenerCount('error')).toBe(1);
  await stores[0]!.close();
  expect(pool.listenerCount('error')).toBe(0);
});
