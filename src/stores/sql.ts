/**
 * A table in PostgreSQL, MySQL, MariaDB or SQLite: the one that Flask-Session's `sqlalchemy` type keeps, which a Flask
 * application may use at the same time.
 *
 * Statements run on a pool or a database of the application's, alone or inside of a query builder, or on connections of the
 * store's own, from a URL. Each is complete in itself: the store begins and ends no transaction on a connection that is
 * not its own. The table is made when it is missing, and taken as it is when it is there.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { executorOf, type SqlClient, survive } from './sql/client.ts';
import { type Change, type Dialect, type SqlLayout, toBuffer, type Verbs } from './sql/dialect.ts';
import type { Executor } from './sql/executor.ts';
import { checkName, quotedTable, type TableName } from './sql/identifier.ts';
import { mysql } from './sql/mysql.ts';
import { openSql } from './sql/open.ts';
import { postgresql } from './sql/postgresql.ts';
import { sqlite } from './sql/sqlite.ts';
import type { SqlDialect } from './sql/statement.ts';
import { toTimestamp } from './sql/timestamp.ts';
import { parseSqlUrl, type SqlAddress } from './sql/url.ts';

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

const DIALECTS: Readonly<Record<SqlDialect, Dialect>> = { postgresql, mysql, sqlite };
/** Milliseconds for which a statement is tried again that others are in the way of. */
const CONTENTION_TIMEOUT = 5000;
const MAX_PAUSE = 20;
const SWEPT_ALONG = 1000;

export class SqlStore implements SessionStore {
  readonly name: string = 'sql';
  readonly #table: TableName;
  readonly #layout: SqlLayout;
  readonly #create: boolean;
  readonly #prepare: boolean;
  readonly #cleanupEvery: number;
  readonly #now: () => number;
  readonly #address: SqlAddress | undefined;
  readonly #given: Executor | undefined;
  readonly #forget: (() => void) | undefined;
  #opened: Promise<Executor> | undefined;
  #beginning: Promise<Verbs> | undefined;
  #verbs: Verbs | undefined;
  /** Of the same database as the verbs. */
  #dialect: Dialect | undefined;
  #cleaning: Promise<unknown> | undefined;
  #closed = false;

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: SqlStoreOptions) {
    const { client, url, layout = 'sqlalchemy', cleanupEvery = 0, prepare = true, dialect } = options;
    oneOf('layout', layout, ['sqlalchemy', 'postgresql']);
    oneOf('dialect', dialect, [undefined, 'postgresql', 'mysql', 'sqlite']);
    if (!(cleanupEvery >= 0))
      throw new SessionConfigError('cleanupEvery', String(cleanupEvery), 'a number of writes, or 0');
    this.#table = tableFrom(options, layout);
    this.#layout = layout;
    this.#create = options.create ?? true;
    this.#prepare = prepare;
    this.#cleanupEvery = cleanupEvery;
    this.#now = options.now ?? Date.now;
    if ((client === undefined) === (url === undefined)) {
      throw new SessionConfigError(
        'client',
        client ? 'a client and a url' : 'neither a client nor a url',
        'one of the two',
      );
    }
    if (url === undefined) {
      this.#given = executorOf(client, { prepare, dialect });
      this.#forget = survive(client);
    } else {
      this.#address = parseSqlUrl(url);
    }
    const found = this.#given?.dialect ?? this.#address?.dialect;
    if (layout === 'postgresql' && found !== 'postgresql') {
      throw new SessionConfigError('layout', `postgresql, on ${found}`, 'sqlalchemy, which every database has');
    }
  }

  /**
   * Connects, makes the table when it is missing, and checks that it can be used: what the first verb does by itself, for
   * those who want to know when they start.
   *
   * @throws SessionConfigError, and errors of the driver as they come
   */
  async setup(): Promise<void> {
    await this.#ready('setup');
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    return this.#with('read', async (verbs) => {
      const now = this.#now();
      const found = await verbs.read(key);
      if (!found || found.expiresAt > now) return found;
      await verbs.purge(key, now);
      return undefined;
    });
  }

  /** @throws SessionStoreError when the column cannot hold the record, or others kept changing it */
  async write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    const before = expected && toBuffer(expected);
    const result = await this.#with('write', async (verbs, { fraction }) => {
      const now = this.#now();
      const ends = toTimestamp(expiresAt, fraction) <= toTimestamp(now, true);
      const after = record === null || ends ? null : toBuffer(record);
      return this.#change(() => apply(verbs, key, after, expiresAt, before, now), after, before);
    });
    if (this.#cleanupEvery > 0 && Math.random() * this.#cleanupEvery < 1) this.#cleanUp();
    return result;
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#with('touch', (verbs) => verbs.touch(key, expiresAt, this.#now()));
  }

  delete(key: string): Promise<boolean> {
    return this.#with('delete', (verbs) => verbs.remove(key, this.#now()));
  }

  async sweep(limit: number): Promise<number> {
    const most = Math.floor(limit);
    if (!(most > 0)) return 0;
    return this.#with('sweep', (verbs) => verbs.sweep(Math.min(most, Number.MAX_SAFE_INTEGER), this.#now()));
  }

  /** Closes the connections that the store opened; a client that was given stays open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#cleaning;
    this.#forget?.();
    const own = await this.#opened?.catch(() => undefined);
    await own?.close?.();
  }

  /** Until it is clear who came first: a row that is as expected, and did not change, changed in between. */
  async #change(
    attempt: () => Promise<Change>,
    after: Buffer | null,
    before: Buffer | undefined,
  ): Promise<WriteResult> {
    const patience = new Patience();
    for (;;) {
      const found = await attempt();
      if (found === 'done') return 'written';
      if (found) {
        if (!before?.equals(found.bytes)) return { conflict: found };
      } else if (before) {
        return 'gone';
      } else if (after === null) {
        return 'written';
      }
      if (await patience.isOver()) {
        throw new SessionStoreError(this.name, 'write', `session store ${this.name}: the row kept changing`, {
          timeout: true,
        });
      }
    }
  }

  async #with<T>(operation: string, step: (verbs: Verbs, dialect: Dialect) => Promise<T>): Promise<T> {
    const verbs = this.#verbs && !this.#closed ? this.#verbs : await this.#ready(operation);
    const dialect = this.#dialect!;
    let patience: Patience | undefined;
    for (;;) {
      try {
        return await step(verbs, dialect);
      } catch (error) {
        if (!dialect.isContention(error)) throw error;
        patience ??= new Patience();
        if (await patience.isOver()) throw error;
      }
    }
  }

  async #ready(operation: string): Promise<Verbs> {
    if (this.#closed) {
      throw new SessionStoreError(this.name, operation, `session store ${this.name}: it is closed`);
    }
    this.#beginning ??= this.#begin();
    try {
      return await this.#beginning;
    } catch (error) {
      // The next caller tries anew.
      this.#beginning = undefined;
      throw error;
    }
  }

  async #begin(): Promise<Verbs> {
    const executor = this.#given ?? (await this.#open());
    const dialect = DIALECTS[executor.dialect];
    const patience = new Patience();
    for (;;) {
      try {
        const columns = await this.#columns(executor, dialect);
        this.#dialect = dialect;
        this.#verbs = dialect.verbs(executor, this.#table, this.#layout, columns);
        return this.#verbs;
      } catch (error) {
        if (!dialect.isContention(error) || (await patience.isOver())) throw error;
      }
    }
  }

  async #columns(executor: Executor, dialect: Dialect) {
    const found = await dialect.inspect(executor, this.#table);
    if (found.length > 0) return found;
    const name = quotedTable(executor.dialect, this.#table);
    if (!this.#create)
      throw new SessionConfigError('create', `false, and there is no table ${name}`, 'true, or the table');
    await dialect.create(executor, this.#table, this.#layout);
    const made = await dialect.inspect(executor, this.#table);
    if (made.length > 0) return made;
    throw new SessionConfigError(
      'table',
      `${name}, which cannot be seen after it was made`,
      'a table in reach of the connection',
    );
  }

  async #open(): Promise<Executor> {
    this.#opened ??= openSql(this.#address!, this.#prepare);
    try {
      return await this.#opened;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  /** A later one does what this does not. */
  #cleanUp(): void {
    this.#cleaning ??= this.sweep(SWEPT_ALONG)
      .catch(() => {})
      .then(() => {
        this.#cleaning = undefined;
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

function apply(
  verbs: Verbs,
  key: string,
  after: Buffer | null,
  expiresAt: number,
  before: Buffer | undefined,
  now: number,
): Promise<Change> {
  if (after && before) return verbs.update(key, after, expiresAt, before, now);
  if (after) return verbs.create(key, after, expiresAt, now);
  if (before) return verbs.retire(key, before, now);
  return verbs.read(key).then((found) => (found && found.expiresAt > now ? found : undefined));
}

/** How long something is tried again, with pauses of random lengths, so that those who met do not meet again. */
class Patience {
  readonly #end = performance.now() + CONTENTION_TIMEOUT;
  #pause = 1;

  async isOver(): Promise<boolean> {
    if (performance.now() >= this.#end) return true;
    await new Promise((resolve) => setTimeout(resolve, this.#pause * Math.random()));
    this.#pause = Math.min(2 * this.#pause, MAX_PAUSE);
    return false;
  }
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
