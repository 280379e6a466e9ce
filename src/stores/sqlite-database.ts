/** One connection to the database of a `SqliteStore`, with its table and its prepared statements. */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type Sqlite = typeof import('node:sqlite');

export interface Row {
  readonly record: Uint8Array;
  readonly expires_at: number;
}

/** Milliseconds for which a statement may hold up the process while another process is writing. */
const BLOCKING_MS = 2;
/** The same for opening, which happens once, and before which nothing works. */
const OPENING_MS = 2000;
/** Rows that one statement of a sweep looks at, at the most. */
const STRETCH = 1000;
/** Milliseconds between two looks whether the file is still there. */
const CHECK_INTERVAL = 1000;

const BUSY = 5;
const LOCKED = 6;
const IN_MEMORY = ':memory:';

export class Database {
  /** (key, now): the live row. */
  readonly read: StatementSync;
  /** (key, expires_at, record, now): inserts, or takes the place of an expired row. */
  readonly create: StatementSync;
  /** (expires_at, record, key, expected record, now). */
  readonly update: StatementSync;
  /** (key, expected record, now): deletes under the same condition. */
  readonly retire: StatementSync;
  /** (expires_at, key, now). */
  readonly touch: StatementSync;
  /** (key, now): deletes the live row. */
  readonly remove: StatementSync;
  readonly #connection: DatabaseSync;
  readonly #path: string;
  readonly #file: string;
  readonly #stretch: StatementSync;
  readonly #deleteExpired: StatementSync;
  /** The last row that sweeping has looked at. */
  #swept = 0;
  #nextCheck = 0;

  /** Makes what is missing. Errors of SQLite and of the system are thrown as they come. */
  constructor(sqlite: Sqlite, path: string, table: string) {
    makeFile(path);
    this.#path = path;
    this.#connection = new sqlite.DatabaseSync(path);
    try {
      setUp(this.#connection, table);
      this.#file = fileAt(path);
      const prepare = (sql: string) => this.#connection.prepare(sql);
      this.read = prepare(`SELECT record, expires_at FROM ${table} WHERE key = ? AND expires_at > ?`);
      this.create = prepare(
        `INSERT INTO ${table} (key, expires_at, record) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
           SET expires_at = excluded.expires_at, record = excluded.record WHERE expires_at <= ?`,
      );
      this.update = prepare(
        `UPDATE ${table} SET expires_at = ?, record = ? WHERE key = ? AND record = ? AND expires_at > ?`,
      );
      this.retire = prepare(`DELETE FROM ${table} WHERE key = ? AND record = ? AND expires_at > ?`);
      this.touch = prepare(`UPDATE ${table} SET expires_at = ? WHERE key = ? AND expires_at > ?`);
      this.remove = prepare(`DELETE FROM ${table} WHERE key = ? AND expires_at > ?`);
      this.#stretch = prepare(
        `SELECT max(id) AS last, count(*) AS found FROM (SELECT rowid AS id FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ?)`,
      );
      this.#deleteExpired = prepare(
        `DELETE FROM ${table} WHERE rowid IN
           (SELECT rowid FROM ${table} WHERE rowid > ? AND rowid <= ? AND expires_at <= ? LIMIT ?)`,
      );
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** Looks at the next `rows` rows, going round the table once at the most, and deletes up to `limit` expired ones. */
  sweep(now: number, limit: number, rows: number): number {
    const start = this.#swept;
    let isLastRound = start === 0;
    let deleted = 0;
    for (let left = rows; left > 0 && deleted < limit; ) {
      const size = Math.min(left, STRETCH);
      const { last, found } = this.#stretch.get(this.#swept, size) as { last: number | null; found: number };
      if (last !== null) {
        deleted += Number(this.#deleteExpired.run(this.#swept, last, now, limit - deleted).changes);
        if (deleted < limit) this.#swept = last;
      }
      left -= size;
      if (found < size) this.#swept = 0;
      if (isLastRound && (found < size || (start > 0 && this.#swept >= start))) break;
      if (found < size) isLastRound = true;
    }
    return deleted;
  }

  /**
   * False when the file was deleted or replaced: SQLite would go on with what nobody else sees. Looks once a second.
   *
   * @param now milliseconds, of a clock that goes on
   */
  isInPlace(now: number): boolean {
    if (now < this.#nextCheck) return true;
    this.#nextCheck = now + CHECK_INTERVAL;
    return fileAt(this.#path) === this.#file;
  }

  close(): void {
    this.#connection.close();
  }
}

/** Somebody else is writing; nothing is wrong. */
export function isBusy(error: unknown): boolean {
  // The low byte; the others tell variants apart.
  const code = ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
  return code === BUSY || code === LOCKED;
}

/** `node:sqlite`, without the warning that it is experimental; undefined where the runtime does not have it. */
export function loadSqlite(): Sqlite | undefined {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    const isExpected = rest[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite ');
    if (!isExpected) Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof emitWarning;
  try {
    return process.getBuiltinModule?.('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Opened only when it is new: closing a file takes away the locks of every other connection to it in this process. */
function makeFile(path: string): void {
  if (path === IN_MEMORY) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function setUp(connection: DatabaseSync, table: string): void {
  connection.exec(`PRAGMA busy_timeout = ${OPENING_MS}`);
  persistently(() => connection.exec('PRAGMA journal_mode = WAL'));
  connection.exec('PRAGMA synchronous = NORMAL');
  persistently(() =>
    connection.exec(
      // The deadline before the record, so that sweeping need not step over long ones.
      `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, record BLOB NOT NULL)`,
    ),
  );
  connection.exec(`PRAGMA busy_timeout = ${BLOCKING_MS}`);
}

/** Some locks, that of changing the journal for one, SQLite does not wait for by itself. */
function persistently(step: () => void): void {
  const deadline = performance.now() + OPENING_MS;
  for (;;) {
    try {
      step();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 10);
  }
}

function fileAt(path: string): string {
  if (path === IN_MEMORY) return '';
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev} ${stat.ino}` : 'none';
}
