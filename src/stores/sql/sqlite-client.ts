/** `node:sqlite` and `better-sqlite3`, which answer at once. */
import type { Executor, Rows, Take } from './executor.ts';
import { ordered, type SqlValue, type Statement } from './statement.ts';

interface SqliteStatement {
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  run(...values: SqlValue[]): { changes: number | bigint };
  /** `better-sqlite3`: rows are arrays. Throws for a statement that answers none. */
  raw?(toggle: boolean): unknown;
  /** The same in `node:sqlite`, since Node 22.16. */
  setReturnArrays?(enabled: boolean): unknown;
}

/** What is used of a `DatabaseSync` of `node:sqlite`, or a `Database` of `better-sqlite3`. */
export interface SqliteClient {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

const NONE: Rows = [];

export class SqliteExecutor implements Executor {
  readonly dialect = 'sqlite';
  readonly #client: SqliteClient;
  readonly #prepare: boolean;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(client: SqliteClient, prepare: boolean) {
    this.#client = client;
    this.#prepare = prepare;
  }

  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): T {
    const prepared = this.#statement(statement);
    const given = ordered(statement, values);
    if (statement.returns === 'nothing') return take(NONE, Number(prepared.run(...given).changes));
    if (statement.returns === 'rows') return take(prepared.all(...given).map(columns), 0);
    const row = prepared.get(...given);
    return take(row ? [columns(row)] : NONE, 0);
  }

  #statement({ sql, name, returns }: Statement): SqliteStatement {
    const known = name === undefined ? undefined : this.#prepared.get(name);
    if (known) return known;
    const prepared = this.#client.prepare(sql);
    if (returns !== 'nothing') {
      prepared.raw?.(true);
      prepared.setReturnArrays?.(true);
    }
    if (name !== undefined && this.#prepare) this.#prepared.set(name, prepared);
    return prepared;
  }
}

/** By position; where rows cannot be had as arrays, they are objects with their columns in order. */
function columns(row: unknown): unknown[] {
  return Array.isArray(row) ? row : Object.values(row as object);
}
