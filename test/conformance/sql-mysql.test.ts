/** MariaDB (or MySQL, by `MYSQL_URL`) through everything that can reach it. */
import { drizzle } from 'drizzle-orm/mysql2';
import { SqlStore, type SqlStoreOptions } from 'flacon/stores/sql';
import { sessionSuite } from 'flacon/testing/session-suite';
import { storeSuite } from 'flacon/testing/store-suite';
import knex from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { available } from '../servers/process.ts';
import { inProcess } from './session-writer-process.ts';

const mariadb = await available(startMariadb);
const uri = mariadb.server?.url ?? '';
afterAll(() => mariadb.server?.stop());

/** Deadlines are whole seconds, and a BLOB ends here. */
const limits = { granularity: 1000, maxRecord: 65_535 };

interface Way {
  readonly name: string;
  /** A client, for the whole of the suite. */
  readonly connect: () => Promise<{ readonly client: object; readonly close: () => unknown }>;
  readonly options?: SqlStoreOptions;
}

async function pool(options: mysql.PoolOptions = {}) {
  const client = mysql.createPool({ uri, connectionLimit: 20, ...options });
  return { client, close: () => client.promise().end() };
}

async function promisePool(options: mysql.PoolOptions = {}) {
  const client = mysqlPromise.createPool({ uri, connectionLimit: 20, ...options });
  return { client, close: () => client.end() };
}

const ways: Way[] = [
  { name: 'a pool of mysql2/promise', connect: promisePool },
  { name: 'a pool of mysql2/promise, without prepared statements', connect: promisePool, options: { prepare: false } },
  { name: 'a pool of mysql2', connect: pool },
  {
    name: 'a pool of mysql2, set up for something else',
    connect: () =>
      pool({
        flags: ['-FOUND_ROWS'],
        rowsAsArray: true,
        nestTables: '_',
        namedPlaceholders: true,
        dateStrings: true,
        supportBigNumbers: true,
        bigNumberStrings: true,
        timezone: '+05:30',
        charset: 'LATIN1_SWEDISH_CI',
        typeCast: () => 'nothing',
      }),
  },
  {
    name: 'a connection of mysql2/promise',
    async connect() {
      const client = await mysqlPromise.createConnection({ uri });
      return { client, close: () => client.end() };
    },
  },
  {
    name: 'a connection of mysql2',
    async connect() {
      const client = mysql.createConnection({ uri });
      return { client, close: () => client.promise().end() };
    },
  },
  {
    name: 'Kysely',
    async connect() {
      const client = new Kysely({
        dialect: new MysqlDialect({ pool: mysql.createPool({ uri, connectionLimit: 20 }) }),
      });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Knex',
    async connect() {
      const client = knex({ client: 'mysql2', connection: uri, pool: { min: 0, max: 20 } });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Drizzle, over a pool of mysql2',
    async connect() {
      const { client: inner, close } = await pool();
      return { client: drizzle(inner), close };
    },
  },
];

describe.skipIf(mariadb.missing)(`MariaDB${mariadb.note}`, () => {
  for (const [n, { name, connect, options }] of ways.entries()) {
    describe(name, () => {
      let opened: Awaited<ReturnType<Way['connect']>>;
      beforeAll(async () => {
        opened = await connect();
      });
      afterAll(() => opened.close());
      storeSuite(
        { describe, it },
        {
          name,
          create: (now) =>
            new SqlStore({ client: opened.client as mysql.Pool, table: `sessions_${n}`, now, ...options }),
          ...limits,
        },
      );
    });
  }

  const others: Record<string, SqlStoreOptions> = {
    'a URL in the spelling of SQLAlchemy': {
      url: `${uri.replace(/^\w+:/, 'mysql+pymysql:')}?charset=utf8`,
      table: 'by_url',
    },
    'a schema, an id without a default, and names that have to be quoted': {
      url: uri,
      schema: 'flacon',
      table: 'Sitzungen für alle',
      sequence: 'sess_seq',
    },
  };
  for (const [name, options] of Object.entries(others)) {
    storeSuite(
      { describe, it },
      { name, create: (now) => new SqlStore({ ...options, now }), ...limits, concurrency: 50 },
    );
  }

  storeSuite(
    { describe, it },
    {
      name: 'a table with room for more, and fractions that are not used',
      async create(now) {
        const { client, close } = await promisePool();
        await client.query(`CREATE TABLE IF NOT EXISTS roomy
          (id bigint AUTO_INCREMENT PRIMARY KEY, session_id varchar(300) UNIQUE, data mediumblob, expiry datetime(6))`);
        await close();
        return new SqlStore({ url: uri, table: 'roomy', now });
      },
      granularity: 1000,
    },
  );

  sessionSuite(
    { describe, it },
    { name: 'MariaDB', create: (now) => new SqlStore({ url: uri, table: 'visits', now }) },
  );

  test.each(['key', 'count'] as const)(
    'two processes: 100 parallel requests over both lose nothing: %s',
    async (task) => {
      const options = { url: uri, table: 'two_processes' };
      const store = new SqlStore(options);
      const visitor = new Visitor(createSessionInterface({ store }));
      await visitor.visit((session) => void session.set('n', 0));
      const shared = { module: 'stores/sql.ts', store: 'SqlStore', options, cookie: visitor.cookie!, task };
      await Promise.all([inProcess({ ...shared, from: 0, to: 50 }), inProcess({ ...shared, from: 50, to: 100 })]);
      const { value } = await visitor.visit((session) => ({
        keys: [...session.keys()].filter((key) => key.startsWith('key')).length,
        count: session.get('n'),
      }));
      await store.close();
      expect(value).toEqual(task === 'key' ? { keys: 100, count: 0 } : { keys: 0, count: 100 });
    },
  );
});
