/** The table that a store works on: found or made at the first use, on a client that was given or on connections of its own. */
import { SessionConfigError, SessionStoreError } from '../../errors.ts';
import type { Column, Dialect, SqlLayout, Verbs } from './dialect.ts';
import type { Executor } from './executor.ts';
import { explain } from './failure.ts';
import { quotedTable, type TableName } from './identifier.ts';
import { mysql } from './mysql.ts';
import { Patience } from './patience.ts';
import { postgresql } from './postgresql.ts';
import { sqlite } from './sqlite.ts';
import type { SqlDialect } from './statement.ts';

export interface Table {
  readonly verbs: Verbs;
  readonly dialect: Dialect;
}

export interface TableOptions {
  readonly name: TableName;
  readonly layout: SqlLayout;
  /** Whether a missing one is made. */
  readonly create: boolean;
}

const DIALECTS: Readonly<Record<SqlDialect, Dialect>> = { postgresql, mysql, sqlite };

/** An error of a usual kind says what can be done about it; others are thrown as they come. */
export function explained(store: string, operation: string, cause: unknown): unknown {
  const why = explain(cause);
  if (why === undefined) return cause;
  return new SessionStoreError(store, operation, `session store ${store}: ${why}`, { cause });
}

export class Database {
  /** Set while it can be used. */
  table: Table | undefined;
  readonly #connect: () => Executor | Promise<Executor>;
  readonly #options: TableOptions;
  #executor: Executor | undefined;
  #beginning: Promise<Table> | undefined;
  #closed = false;

  /** @param connect called at the first use, and again when it failed */
  constructor(connect: () => Executor | Promise<Executor>, options: TableOptions) {
    this.#connect = connect;
    this.#options = options;
  }

  /** @throws SessionStoreError when it is closed, SessionConfigError, and errors of the driver as they come */
  async ready(store: string, operation: string): Promise<Table> {
    if (this.#closed) throw new SessionStoreError(store, operation, `session store ${store}: it is closed`);
    this.#beginning ??= this.#begin();
    try {
      return await this.#beginning;
    } catch (error) {
      // The next caller tries anew.
      this.#beginning = undefined;
      throw explained(store, operation, error);
    }
  }

  async close(): Promise<void> {
    this.table = undefined;
    this.#closed = true;
    // Nothing of ours is open on a client that was given, which may be one that does not answer.
    if (this.#executor && !this.#executor.close) return;
    await this.#beginning?.catch(() => {});
    const executor = this.#executor;
    this.#executor = undefined;
    await executor?.close?.();
  }

  async #begin(): Promise<Table> {
    this.#executor ??= await this.#connect();
    const dialect = DIALECTS[this.#executor.dialect];
    const { name, layout } = this.#options;
    const patience = new Patience();
    for (;;) {
      try {
        const columns = await this.#columns(this.#executor, dialect);
        const table = { verbs: dialect.verbs(this.#executor, name, layout, columns), dialect };
        if (!this.#closed) this.table = table;
        return table;
      } catch (error) {
        if (!dialect.isContention(error) || (await patience.isOver())) throw error;
      }
    }
  }

  async #columns(executor: Executor, dialect: Dialect): Promise<readonly Column[]> {
    const { name, layout, create } = this.#options;
    const found = await dialect.inspect(executor, name);
    if (found.length > 0) return found;
    const quoted = quotedTable(executor.dialect, name);
    if (!create)
      throw new SessionConfigError('table', `${quoted}, which is not there`, 'one that is, or the option `create`');
    await dialect.create(executor, name, layout);
    const made = await dialect.inspect(executor, name);
    if (made.length > 0) return made;
    const given = `${quoted}, which cannot be seen after it was made`;
    throw new SessionConfigError('table', given, 'a table in reach of the connection');
  }
}
