/** PostgreSQL through everything that can reach it. */
import { drizzle } from 'drizzle-orm/node-postgres';
import { PostgresqlStore, SqlStore, type SqlStoreOptions } from 'flacon/stores/sql';
import { sessionSuite } from 'flacon/testing/session-suite';
import { storeSuite } from 'flacon/testing/store-suite';
import knex from 'knex';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { startPostgres } from '../servers/postgres.ts';
import { prismaOver } from '../servers/prisma-wrapper.ts';
import { available } from '../servers/process.ts';
import { inProcess } from './session-writer-process.ts';

const postgres = await available(startPostgres);
const connectionString = postgres.server?.url ?? '';
afterAll(() => postgres.server?.stop());

interface Way {
  readonly name: string;
  /** A client, for the whole of the suite. */
  readonly connect: () => Promise<{ readonly client: object; readonly close: () => unknown }>;
  readonly options?: SqlStoreOptions;
  /** It has a way of its own to run two statements, which a table made by hand takes. */
  readonly twoStatements?: true;
}

async function pool(options: pg.PoolConfig = {}) {
  const client = new pg.Pool({ connectionString, max: 20, ...options });
  return { client, close: () => client.end() };
}

const ways: Way[] = [
  { name: 'a pool of pg', connect: pool },
  { name: 'a pool of pg, without prepared statements', connect: pool, options: { prepare: false } },
  {
    name: 'a client of pg',
    twoStatements: true,
    async connect() {
      const client = new pg.Client({ connectionString });
      await client.connect();
      return { client, close: () => client.end() };
    },
  },
  {
    name: 'a pool of pg, whose connections are in another time zone, with dates of another style',
    connect: () => pool({ options: '-c timezone=America/New_York -c datestyle=German' }),
  },
  {
    name: 'a pool of pg, whose transactions are serializable',
    connect: () => pool({ options: '-c default_transaction_isolation=serializable' }),
  },
  {
    name: 'a pool of pg, whose transactions read what was there when they began',
    twoStatements: true,
    connect: () => pool({ options: '-c default_transaction_isolation=repeatable\\ read' }),
  },
  {
    name: 'Kysely, with a plugin that renames columns',
    twoStatements: true,
    async connect() {
      const { client: inner } = await pool();
      const client = new Kysely({ dialect: new PostgresDialect({ pool: inner }), plugins: [new CamelCasePlugin()] });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Knex',
    twoStatements: true,
    async connect() {
      const client = knex({ client: 'pg', connection: connectionString, pool: { min: 0, max: 20 } });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Drizzle, over a pool of pg',
    async connect() {
      const { client: inner, close } = await pool();
      return { client: drizzle(inner), close };
    },
  },
  {
    name: "Prisma's shape, which a wrapper over a pool of pg has",
    twoStatements: true,
    async connect() {
      const { client: inner, close } = await pool();
      return { client: prismaOver(inner), close };
    },
  },
];

/** What people make by hand, of which tutorials have the first. */
const tablesByHand = {
  'a table without a default for the id, or an index':
    'id integer primary key not null, session_id varchar(255), data bytea, expiry timestamp without time zone',
  'a table without a default for the id':
    'id bigint primary key not null, session_id text unique, data bytea, expiry timestamp(6) without time zone',
  'a table without an index': 'id serial primary key, session_id varchar(255), data bytea, expiry timestamp',
  'a table without an id': 'session_id varchar(255) primary key, data bytea, expiry timestamp',
};

describe.skipIf(postgres.missing)(`PostgreSQL${postgres.note}`, () => {
  for (const [n, { name, connect, options, twoStatements }] of ways.entries()) {
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
          create: (now) => new SqlStore({ client: opened.client as pg.Pool, table: `sessions_${n}`, now, ...options }),
        },
      );
      if (!twoStatements) return;
      storeSuite(
        { describe, it },
        {
          name: `${name}, with a table made by hand`,
          async create(now) {
            const { client, close } = await pool({ max: 1 });
            const columns =
              tablesByHand[n % 2 ? 'a table without an index' : 'a table without a default for the id, or an index'];
            await client.query(`CREATE TABLE IF NOT EXISTS by_hand_${n} (${columns})`);
            await close();
            return new SqlStore({ client: opened.client as pg.Pool, table: `by_hand_${n}`, now, ...options });
          },
          concurrency: 30,
        },
      );
    });
  }

  for (const [n, [name, columns]] of Object.entries(tablesByHand).entries()) {
    storeSuite(
      { describe, it },
      {
        name,
        async create(now) {
          const { client, close } = await pool({ max: 1 });
          await client.query(`CREATE TABLE IF NOT EXISTS by_somebody_${n} (${columns})`);
          await close();
          return new SqlStore({ url: connectionString, table: `by_somebody_${n}`, now });
        },
      },
    );
  }

  const others: Record<string, SqlStoreOptions> = {
    'a URL in the spelling of SQLAlchemy': {
      url: connectionString.replace(/^\w+:/, 'postgresql+psycopg2:'),
      table: 'by_url',
    },
    'a schema, a sequence and names that have to be quoted': {
      url: connectionString,
      table: 'Sitzungen für alle',
      schema: 'public',
      sequence: 'user-seq',
    },
  };
  for (const [name, options] of Object.entries(others)) {
    storeSuite({ describe, it }, { name, create: (now) => new SqlStore({ ...options, now }) });
  }

  storeSuite(
    { describe, it },
    { name: 'the layout `postgresql`', create: (now) => new PostgresqlStore({ url: connectionString, now }) },
  );
  describe('the layout `postgresql`, in another time zone', () => {
    let opened: Awaited<ReturnType<typeof pool>>;
    beforeAll(async () => {
      opened = await pool({ options: '-c timezone=Asia/Tokyo' });
    });
    afterAll(() => opened.close());
    storeSuite(
      { describe, it },
      {
        name: 'the layout `postgresql`, in another time zone',
        create: (now) =>
          new PostgresqlStore({ client: opened.client, table: 'Tokyo sessions', schema: 'another schema', now }),
      },
    );
  });

  sessionSuite(
    { describe, it },
    { name: 'PostgreSQL', create: (now) => new SqlStore({ url: connectionString, table: 'visits', now }) },
  );
  sessionSuite(
    { describe, it },
    {
      name: 'PostgreSQL, layout `postgresql`, Flask profile',
      create: (now) => new PostgresqlStore({ url: connectionString, now }),
      options: { profile: 'flask' },
    },
  );

  describe('two processes', () => {
    test.each([
      { task: 'key', table: 'two_processes' },
      { task: 'count', table: 'two_processes' },
      { task: 'count', table: 'two_processes_by_hand' },
    ] as const)('100 parallel requests over both lose nothing: $task, $table', async ({ task, table }) => {
      const { client, close } = await pool({ max: 1 });
      const columns = tablesByHand['a table without a default for the id, or an index'];
      await client.query(`CREATE TABLE IF NOT EXISTS two_processes_by_hand (${columns})`);
      await close();
      const options = { url: connectionString, table };
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
    });
  });
});
