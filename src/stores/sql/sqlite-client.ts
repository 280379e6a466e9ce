/** `node:sqlite` and `better-sqlite3`, which answer at once. */
import type { Answer, Executor } from './executor.ts';
import { ordered, type SqlValue, type Statement } from './statement.ts';

interface SqliteStatement {
  all(...values: SqlValue[]): unknown[];
  run(...values: SqlValue[]): { changes: number | bigint };
}

/** What is used of a `DatabaseSync` of `node:sqlite`, or a `Database` of `better-sqlite3`. */
export interface SqliteClient {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

export class SqliteExecutor implements Executor {
  readonly dialect = 'sqlite';
  readonly #client: SqliteClient;
  readonly #prepare: boolean;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(client: SqliteClient, prepare: boolean) {
    this.#client = client;
    this.#prepare = prepare;
  }

  async run(statement: Statement, values: readonly SqlValue[]): Promise<Answer> {
    const prepared = this.#statement(statement);
    const given = ordered(statement, values);
    if (!statement.returnsRows) return { rows: [], changes: Number(prepared.run(...given).changes) };
    return { rows: prepared.all(...given).map(columns), changes: 0 };
  }

  #statement({ sql, name }: Statement): SqliteStatement {
    if (name === undefined || !this.#prepare) return this.#client.prepare(sql);
    let prepared = this.#prepared.get(name);
    if (!prepared) {
      prepared = this.#client.prepare(sql);
      this.#prepared.set(name, prepared);
    }
    return prepared;
  }
}

/** By position; a row is an object with its columns in their order, or an array where the database is set up so. */
function columns(row: unknown): unknown[] {
  return Array.isArray(row) ? row : Object.values(row as object);
}
