/**
 * A table in PostgreSQL, MySQL, MariaDB or SQLite: the one that Flask-Session's `sqlalchemy` type keeps, which a Flask
 * application may use at the same time.
 *
 * Statements run on a pool or a database of the application's, alone or inside of a query builder, or on connections of the
 * store's own, from a URL. Each is complete in itself: the store begins and ends no transaction on a connection that is
 * not its own. The table is made when it is missing, and taken as it is when it is there.
 */
import {
  type Awaitable,
  chain,
  isPromise,
  type SessionStore,
  type StoredRecord,
  type WriteResult,
} from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';
import { executorOf, type SqlClient, survive } from './sql/client.ts';
import { Database, explained, type Table } from './sql/database.ts';
import { type Change, type SqlLayout, toBuffer, type Verbs } from './sql/dialect.ts';
import { checkName, type TableName } from './sql/identifier.ts';
import { openSql } from './sql/open.ts';
import { Patience } from './sql/patience.ts';
import type { SqlDialect } from './sql/statement.ts';
import { toTimestamp } from './sql/timestamp.ts';
import { parseSqlUrl } from './sql/url.ts';

export type { SqlClient } from './sql/client.ts';
export type { SqlLayout } from './sql/dialect.ts';
export type { SqlDialect } from './sql/statement.ts';

export interface SqlStoreOptions {
  /**
   * A pool or client of `pg`, a pool or connection of `mysql2`, a database of `node:sqlite` or `better-sqlite3`, or an object
   * of Kysely, Knex, Drizzle or Prisma. It stays yours: the store does not close it. A pool is better than one connection,
   * whose transactions the store's statements become a part of.
   */
  client?: SqlClient;
  /**
   * In place of a client, as for SQLAlchemy: `postgresql://user:password@host:port/database`, `mysql+pymysql://…`,
   * `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite://` (in memory). The store then connects at the first use, with
   * `pg`, `mysql2`, or `node:sqlite` (else `better-sqlite3`), and closes what it opened.
   */
  url?: string;
  /** Default `sessions`; in the layout `postgresql`, `flask_sessions`. */
  table?: string;
  /** Default: what the connection has; in the layout `postgresql`, `public`. */
  schema?: string;
  /** PostgreSQL: the sequence that gives a new row its `id`, made with the table. Default: the column's own. */
  sequence?: string;
  /** Which of Flask-Session's two tables. Default `sqlalchemy`. */
  layout?: SqlLayout;
  /** Whether a missing table is made. Default true. */
  create?: boolean;
  /** Whether statements are prepared once per connection. Default true; false for PgBouncer that pools transactions. */
  prepare?: boolean;
  /** Every n-th write, on average, deletes up to 1000 expired rows. 0: none does. Default 0. */
  cleanupEvery?: number;
  /** For an object that does not say which database it is for. */
  dialect?: SqlDialect;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = {
  client: true,
  url: true,
  table: true,
  schema: true,
  sequence: true,
  layout: true,
  create: true,
  prepare: true,
  cleanupEvery: true,
  dialect: true,
  now: true,
} as const;

/** It is not clear yet who came first: a row that is as expected, and did not change, changed in between. */
const CONTENTION: unique symbol = Symbol('contention');
/** Expired rows that one write deletes along the way. */
const SWEPT_ALONG = 1000;

export class SqlStore implements SessionStore {
  readonly name: string = 'sql';
  readonly #database: Database;
  readonly #forget: (() => void) | undefined;
  readonly #cleanupEvery: number;
  readonly #now: () => number;
  #isCleaning = false;

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: SqlStoreOptions) {
    refuseUnknown(options, KNOWN);
    const { client, url, layout = 'sqlalchemy', cleanupEvery = 0, prepare = true, dialect } = options;
    oneOf('layout', layout, ['sqlalchemy', 'postgresql']);
    oneOf('dialect', dialect, [undefined, 'postgresql', 'mysql', 'sqlite']);
    if (!(cleanupEvery >= 0))
      throw new SessionConfigError('cleanupEvery', String(cleanupEvery), 'a number of writes, or 0');
    if ((client === undefined) === (url === undefined)) {
      const given = client === undefined ? 'neither a client nor a url' : 'a client and a url';
      throw new SessionConfigError('client', given, 'one of the two');
    }
    const address = url === undefined ? undefined : parseSqlUrl(url);
    const executor = address ? undefined : executorOf(client, { prepare, dialect });
    const found = (address ?? executor)!.dialect;
    if (layout === 'postgresql' && found !== 'postgresql') {
      throw new SessionConfigError('layout', `postgresql, on ${found}`, 'sqlalchemy, which every database has');
    }
    const create = options.create ?? true;
    const name = tableFrom(options, layout);
    this.#database = new Database(() => executor ?? openSql(address!, { prepare, create }), { name, layout, create });
    this.#cleanupEvery = cleanupEvery;
    this.#now = options.now ?? Date.now;
    if (executor) this.#forget = survive(client);
  }

  /**
   * Connects, makes the table when it is missing, and checks that it can be used: what the first verb does by itself, for
   * those who want to know when they start.
   *
   * @throws SessionConfigError, and errors of the driver as they come
   */
  async setup(): Promise<void> {
    await this.#database.ready(this.name, 'setup');
  }

  read(key: string): Awaitable<StoredRecord | undefined> {
    return this.#with('read', ({ verbs }) => {
      const now = this.#now();
      return chain(verbs.read(key), (found) => {
        if (!found || found.expiresAt > now) return found;
        return chain(verbs.purge(key, toTimestamp(now, true)), () => undefined);
      });
    });
  }

  /** @throws SessionStoreError when the column cannot hold the record, or others kept changing it */
  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Awaitable<WriteResult> {
    if (this.#cleanupEvery > 0 && Math.random() * this.#cleanupEvery < 1) this.#cleanUp();
    const before = expected && toBuffer(expected);
    return this.#with('write', ({ verbs, dialect }) => {
      const time = this.#now();
      const now = toTimestamp(time, true);
      const deadline = toTimestamp(expiresAt, dialect.fraction);
      // As text: a deadline that is cut to seconds is over when it begins like now.
      const after = record === null || deadline <= now ? null : toBuffer(record);
      return chain(change(verbs, key, after, deadline, before, now), (found) => {
        if (found === 'done') return 'written';
        if (!found || (after === null && !before && found.expiresAt <= time)) {
          if (before) return 'gone';
          return after === null ? 'written' : CONTENTION;
        }
        return before?.equals(found.bytes) ? CONTENTION : { conflict: found };
      });
    });
  }

  touch(key: string, expiresAt: number): Awaitable<boolean> {
    return this.#with('touch', ({ verbs, dialect }) =>
      verbs.touch(key, toTimestamp(expiresAt, dialect.fraction), toTimestamp(this.#now(), true)),
    );
  }

  delete(key: string): Awaitable<boolean> {
    return this.#with('delete', ({ verbs }) => verbs.remove(key, toTimestamp(this.#now(), true)));
  }

  sweep(limit: number): Awaitable<number> {
    const most = Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER);
    if (!(most > 0)) return 0;
    return this.#with('sweep', ({ verbs }) => verbs.sweep(most, toTimestamp(this.#now(), true)));
  }

  /** Closes the connections that the store opened; a client that was given stays open. */
  async close(): Promise<void> {
    await this.#database.close();
    this.#forget?.();
  }

  /** A step that others are in the way of, or that could not tell who came first, is tried again. */
  #with<T>(operation: string, step: (table: Table) => Awaitable<T | typeof CONTENTION>): Awaitable<T> {
    const { table } = this.#database;
    if (!table) {
      return this.#database.ready(this.name, operation).then((ready) => this.#settle(operation, ready, step));
    }
    return this.#settle(operation, table, step);
  }

  #settle<T>(operation: string, table: Table, step: (table: Table) => Awaitable<T | typeof CONTENTION>): Awaitable<T> {
    let answer: Awaitable<T | typeof CONTENTION>;
    try {
      answer = step(table);
    } catch (error) {
      return this.#again(operation, table, step, error);
    }
    if (isPromise(answer)) {
      return answer.then(
        (value) => (value === CONTENTION ? this.#again(operation, table, step, value) : value),
        (error) => this.#again(operation, table, step, error),
      );
    }
    return answer === CONTENTION ? this.#again(operation, table, step, answer) : answer;
  }

  async #again<T>(
    operation: string,
    table: Table,
    step: (table: Table) => Awaitable<T | typeof CONTENTION>,
    cause: unknown,
  ): Promise<T> {
    const patience = new Patience();
    for (;;) {
      if (cause !== CONTENTION && !table.dialect.isContention(cause)) throw explained(this.name, operation, cause);
      if (await patience.isOver()) break;
      try {
        const answer = await step(table);
        if (answer !== CONTENTION) return answer;
        cause = answer;
      } catch (error) {
        cause = error;
      }
    }
    const message = `session store ${this.name}: others were in the way for too long`;
    throw new SessionStoreError(this.name, operation, message, { cause, timeout: true });
  }

  /** A later one does what this does not. */
  #cleanUp(): void {
    if (this.#isCleaning) return;
    this.#isCleaning = true;
    Promise.resolve()
      .then(() => this.sweep(SWEPT_ALONG))
      .catch(() => {})
      .then(() => {
        this.#isCleaning = false;
      });
  }
}

/** The table of Flask-Session's PostgreSQL backend, which is on its development branch and in no release. */
export class PostgresqlStore extends SqlStore {
  override readonly name = 'postgresql';

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: Omit<SqlStoreOptions, 'layout' | 'sequence'>) {
    super({ ...options, layout: 'postgresql' });
  }
}

function change(
  verbs: Verbs,
  key: string,
  after: Buffer | null,
  deadline: string,
  before: Buffer | undefined,
  now: string,
): Awaitable<Change> {
  if (before) return after ? verbs.update(key, after, deadline, before, now) : verbs.retire(key, before, now);
  return after ? verbs.create(key, after, deadline, now) : verbs.read(key);
}

function tableFrom({ table, schema, sequence }: SqlStoreOptions, layout: SqlLayout): TableName {
  const isPostgresql = layout === 'postgresql';
  const schemaName = schema ?? (isPostgresql ? 'public' : undefined);
  return {
    table: checkName('table', table ?? (isPostgresql ? 'flask_sessions' : 'sessions')),
    schema: schemaName === undefined ? undefined : checkName('schema', schemaName),
    sequence: sequence === undefined ? undefined : checkName('sequence', sequence),
  };
}

function oneOf(option: string, given: unknown, expected: readonly unknown[]): void {
  if (expected.includes(given)) return;
  throw new SessionConfigError(option, JSON.stringify(given), expected.filter(Boolean).join(', '));
}
