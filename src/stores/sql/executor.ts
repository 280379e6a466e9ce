/** What the store needs of a database: one statement, run on whatever connection it is given. */
import type { Awaitable } from '../../core/store.ts';
import type { SqlDialect, SqlValue, Statement } from './statement.ts';

/** The columns by position. */
export type Rows = readonly (readonly unknown[])[];

/** Makes of an answer what is needed of it: its rows, or how many were changed by a statement that answers none. */
export type Take<T> = (rows: Rows, changes: number) => T;

export interface Executor {
  readonly dialect: SqlDialect;
  /** Values go into the text of a statement before it is sent, escaped with backslashes. */
  readonly interpolates?: boolean;
  /** @param values as many as the statement has; the array is not used afterwards */
  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): Awaitable<T>;
  /**
   * PostgreSQL only: runs `lock`, then `statement`, as one transaction, or as a part of the one that is open, and never
   * begins or ends one of the application's.
   */
  runLocked?<T>(lock: Statement, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T>;
  /** Releases what was opened here. */
  close?(): Promise<void>;
}

export const toRows: Take<Rows> = (rows) => rows;
export const hasChanged: Take<boolean> = (_, changes) => changes > 0;
export const toNothing: Take<void> = () => undefined;
