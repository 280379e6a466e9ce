/** What the store needs of a database: one statement, run on whatever connection it is given. */
import type { SqlDialect, SqlValue, Statement } from './statement.ts';

export interface Answer {
  /** The columns in their order; no rows for a statement that answers none. */
  readonly rows: readonly (readonly unknown[])[];
  /** Rows that a statement without answer changed. */
  readonly changes: number;
}

export interface Executor {
  readonly dialect: SqlDialect;
  /** Values go into the text of a statement before it is sent, escaped with backslashes. */
  readonly interpolates?: boolean;
  run(statement: Statement, values: readonly SqlValue[]): Promise<Answer>;
  /**
   * PostgreSQL only: runs `lock`, then `statement`, as one transaction, or as a part of the one that is open, and never
   * begins or ends one of the application's.
   */
  runLocked?(lock: Statement, statement: Statement, values: readonly SqlValue[]): Promise<Answer>;
  /** Releases what was opened here. */
  close?(): Promise<void>;
}
