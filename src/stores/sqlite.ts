/**
 * A SQLite database through `node:sqlite`: nothing to install, no server, any number of processes on one machine.
 *
 * Write-ahead logging with `synchronous = NORMAL`: a write that was answered survives the death of the process (kill -9
 * too); one of the last moments may be lost, never damaged, when the machine loses power. Every verb is one statement,
 * answered directly. Only while another process is writing can the answer be a promise: the statement is then tried again
 * with pauses, because SQLite's own waiting would hold up the whole process. Reading does not wait for those who write.
 *
 * The table has no index on the deadline: it would double the cost of every write. Expired rows are deleted a stretch of
 * the table at a time, by the writes themselves. Use no network filesystem.
 */
import type { Awaitable, SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';
import { Database, isBusy, loadSqlite, type Row, type Sqlite } from './sqlite-database.ts';

export interface SqliteStoreOptions {
  /** The database file; made, for its owner only, when it or its folder is missing. Default `.flacon/sessions.db`. */
  path?: string;
  /** Made when it is missing. Default `sessions`. */
  table?: string;
  /** Milliseconds to go on trying while other processes are writing. Default 5000. */
  busyTimeout?: number;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = { path: true, table: true, busyTimeout: true, now: true } as const;

const MAX_PAUSE_MS = 20;
/** A change can add one row, and three are looked at for it, so that sweeping keeps up with any load. */
const CHANGES_PER_SWEEP = 100;
const ROWS_PER_SWEEP = 300;
/** Rows that a sweep which somebody asked for looks at, at the least. */
const LOOKED_AT = 10_000;
/** How "never expires" is stored. */
const NEVER = Number.MAX_SAFE_INTEGER;

export class SqliteStore implements SessionStore {
  readonly name = 'sqlite';
  readonly synchronous = true;
  readonly #sqlite: Sqlite;
  readonly #path: string;
  readonly #table: string;
  readonly #busyTimeout: number;
  readonly #now: () => number;
  #opened: Database | undefined;
  #closed = false;
  #changes = 0;

  /** Opens nothing yet: the first verb does. @throws SessionConfigError, also where the runtime has no `node:sqlite` */
  constructor(options: SqliteStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    this.#path = options.path ?? '.flacon/sessions.db';
    this.#table = options.table ?? 'sessions';
    this.#busyTimeout = options.busyTimeout ?? 5000;
    this.#now = options.now ?? Date.now;
    if (!this.#path) throw new SessionConfigError('path', 'an empty text', 'the path of a file');
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(this.#table)) {
      throw new SessionConfigError('table', JSON.stringify(this.#table), 'letters, digits and underscores');
    }
    const sqlite = loadSqlite();
    if (!sqlite) {
      const expected = 'Node 22.13 or later; elsewhere use embeddedStore(), FilesystemStore or another store';
      throw new SessionConfigError('store', 'SqliteStore, and this runtime has no node:sqlite', expected);
    }
    this.#sqlite = sqlite;
  }

  read(key: string): StoredRecord | undefined {
    const row = this.#database('read').read.get(key, this.#now()) as unknown as Row | undefined;
    return row && toRecord(row);
  }

  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Awaitable<WriteResult> {
    return this.#change('write', (database) => {
      const now = this.#now();
      const next = record === null || expiresAt <= now ? null : record;
      for (;;) {
        if (put(database, key, next, toColumn(expiresAt), expected, now)) return 'written';
        const row = database.read.get(key, now) as unknown as Row | undefined;
        if (row) {
          // Bytes that are as expected came in between the two statements: to be tried again.
          if (!expected || Buffer.compare(row.record, expected) !== 0) return { conflict: toRecord(row) };
        } else if (expected) {
          return 'gone';
        } else if (next === null) {
          return 'written';
        }
      }
    });
  }

  touch(key: string, expiresAt: number): Awaitable<boolean> {
    return this.#change('touch', (database) => hasChanged(database.touch.run(toColumn(expiresAt), key, this.#now())));
  }

  delete(key: string): Awaitable<boolean> {
    return this.#change('delete', (database) => hasChanged(database.remove.run(key, this.#now())));
  }

  /** Deletes up to `limit` expired rows. One call looks at a part of a large table, the next goes on from there. */
  sweep(limit: number): Awaitable<number> {
    return this.#change('sweep', (database) => database.sweep(this.#now(), limit, Math.max(LOOKED_AT, 10 * limit)));
  }

  close(): void {
    this.#closed = true;
    this.#opened?.close();
    this.#opened = undefined;
  }

  #database(operation: string): Database {
    if (this.#closed) throw new SessionStoreError(this.name, operation, 'session store sqlite: it is closed');
    if (this.#opened && !this.#opened.isInPlace(Date.now())) {
      this.#opened.close();
      this.#opened = undefined;
    }
    this.#opened ??= new Database(this.#sqlite, this.#path, this.#table);
    return this.#opened;
  }

  #change<T>(operation: string, step: (database: Database) => T): Awaitable<T> {
    const database = this.#database(operation);
    let result: T;
    try {
      result = step(database);
    } catch (error) {
      if (!isBusy(error)) throw error;
      return this.#changeLater(operation, step);
    }
    if (++this.#changes % CHANGES_PER_SWEEP === 0) this.#sweepAlong(database);
    return result;
  }

  async #changeLater<T>(operation: string, step: (database: Database) => T): Promise<T> {
    const deadline = performance.now() + this.#busyTimeout;
    for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      await new Promise((resolve) => setTimeout(resolve, pause * Math.random()));
      try {
        return step(this.#database(operation));
      } catch (cause) {
        if (!isBusy(cause)) throw cause;
        if (performance.now() < deadline) continue;
        const message = 'session store sqlite: other processes kept the database locked';
        throw new SessionStoreError(this.name, operation, message, { cause, timeout: true });
      }
    }
  }

  #sweepAlong(database: Database): void {
    try {
      database.sweep(this.#now(), ROWS_PER_SWEEP, ROWS_PER_SWEEP);
    } catch (error) {
      // A later one does what this did not.
      if (!isBusy(error)) throw error;
    }
  }
}

/** Changes the row if it is as expected, in one statement. */
function put(
  database: Database,
  key: string,
  next: Uint8Array | null,
  expiresAt: number,
  expected: Uint8Array | undefined,
  now: number,
): boolean {
  if (expected === undefined) return next !== null && hasChanged(database.create.run(key, expiresAt, next, now));
  if (next === null) return hasChanged(database.retire.run(key, expected, now));
  return hasChanged(database.update.run(expiresAt, next, key, expected, now));
}

function hasChanged(result: { changes: number | bigint }): boolean {
  return result.changes !== 0;
}

function toColumn(expiresAt: number): number {
  return Math.min(Math.floor(expiresAt), NEVER);
}

function toRecord(row: Row): StoredRecord {
  return {
    bytes: row.record,
    expiresAt: row.expires_at >= NEVER ? Number.POSITIVE_INFINITY : row.expires_at,
  };
}
