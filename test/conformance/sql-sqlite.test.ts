/** SQLite, as Flask-Session's table, through everything that can reach it. The store made for SQLite alone has its own tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import BetterSqlite from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { SqlStore, type SqlStoreOptions } from 'flacon/stores/sql';
import { sessionSuite } from 'flacon/testing/session-suite';
import { storeSuite } from 'flacon/testing/store-suite';
import knex from 'knex';
import { Kysely, SqliteDialect } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { inProcess } from './session-writer-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'flacon-sql-'));
const path = join(directory, 'app.db');
const url = `sqlite:///${path}`;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Way {
  readonly name: string;
  /** A client, for the whole of the suite. */
  readonly connect: () => Promise<{ readonly client: object; readonly close: () => unknown }>;
}

function closing<C extends { close(): unknown }>(client: C) {
  return { client, close: () => client.close() };
}

const ways: Way[] = [
  { name: 'node:sqlite', connect: async () => closing(new DatabaseSync(path)) },
  {
    name: 'node:sqlite, with arrays and big integers',
    connect: async () => closing(new DatabaseSync(path, { readBigInts: true, returnArrays: true })),
  },
  { name: 'better-sqlite3', connect: async () => closing(new BetterSqlite(path)) },
  {
    name: 'better-sqlite3, with big integers',
    async connect() {
      const client = new BetterSqlite(path);
      client.defaultSafeIntegers();
      return closing(client);
    },
  },
  {
    name: 'Kysely',
    async connect() {
      const client = new Kysely({ dialect: new SqliteDialect({ database: new BetterSqlite(path) }) });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Knex',
    async connect() {
      const client = knex({ client: 'better-sqlite3', connection: { filename: path }, useNullAsDefault: true });
      return { client, close: () => client.destroy() };
    },
  },
  {
    name: 'Drizzle, over better-sqlite3',
    async connect() {
      const inner = new BetterSqlite(path);
      return { client: drizzle(inner), close: () => inner.close() };
    },
  },
];

for (const [n, { name, connect }] of ways.entries()) {
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
        create: (now) => new SqlStore({ client: opened.client as DatabaseSync, table: `sessions_${n}`, now }),
      },
    );
  });
}

const tablesByHand = [
  'id integer primary key not null, session_id varchar(255), data bytea, expiry timestamp without time zone',
  'id int primary key not null, session_id text, data blob, expiry text',
  'id int primary key not null, session_id text unique, data blob, expiry text',
  'session_id varchar(255) primary key, data blob, expiry datetime',
];
for (const [n, columns] of tablesByHand.entries()) {
  storeSuite(
    { describe, it },
    {
      name: `a table made by hand: ${columns}`,
      create(now) {
        const database = new DatabaseSync(path);
        database.exec(`CREATE TABLE IF NOT EXISTS by_hand_${n} (${columns})`);
        database.close();
        return new SqlStore({ url, table: `by_hand_${n}`, now });
      },
    },
  );
}

const others: Record<string, SqlStoreOptions> = {
  'a URL': { url, table: 'by_url' },
  'a URL, without prepared statements': {
    url: `sqlite+pysqlite:///${path}?timeout=5`,
    table: 'by_url',
    prepare: false,
  },
  'in memory': { url: 'sqlite://' },
  'a schema, and names that have to be quoted': { url, table: 'Sitzungen für alle', schema: 'main' },
};
for (const [name, options] of Object.entries(others)) {
  storeSuite({ describe, it }, { name, create: (now) => new SqlStore({ ...options, now }) });
}

sessionSuite({ describe, it }, { name: 'SQLite', create: (now) => new SqlStore({ url, table: 'visits', now }) });

test.each([
  { task: 'key', table: 'two_processes' },
  { task: 'count', table: 'two_processes' },
  { task: 'count', table: 'by_hand_1' },
] as const)('two processes: 100 parallel requests over both lose nothing: $task, $table', async ({ task, table }) => {
  const options = { url, table };
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
