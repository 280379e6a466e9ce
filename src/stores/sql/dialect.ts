/** What differs between databases: the table, and how a row is changed on a condition. */
import type { Awaitable, StoredRecord } from '../../core/store.ts';
import { SessionConfigError } from '../../errors.ts';
import type { Executor } from './executor.ts';
import { quotedTable, type TableName } from './identifier.ts';

/** `'sqlalchemy'`: as Flask-Session's backend of that name; `'postgresql'`: as the one on its development branch. */
export type SqlLayout = 'sqlalchemy' | 'postgresql';

export interface Column {
  readonly name: string;
  /** In lower case, without a length. */
  readonly type: string;
  /** A row can be inserted without it. */
  readonly hasDefault: boolean;
  /** An index sees to it that no value occurs twice. */
  readonly isUnique: boolean;
  /** Bytes, or characters, that fit; undefined: no limit worth a check. */
  readonly size: number | undefined;
}

/** `'done'`, or the live row that is there instead of what was expected, or undefined where there is none. */
export type Change = 'done' | StoredRecord | undefined;

/**
 * What is done with one row. Times are timestamps as text (see timestamp.ts). Every change is one statement that compares and
 * writes in one step; when somebody else's change came in between, the row in the answer may be one that is as expected.
 */
export interface Verbs {
  /** The row, live or not. */
  read(key: string): Awaitable<StoredRecord | undefined>;
  create(key: string, record: Buffer, expiresAt: string, now: string): Awaitable<Change>;
  update(key: string, record: Buffer, expiresAt: string, expected: Buffer, now: string): Awaitable<Change>;
  /** Deletes what is as expected. */
  retire(key: string, expected: Buffer, now: string): Awaitable<Change>;
  touch(key: string, expiresAt: string, now: string): Awaitable<boolean>;
  remove(key: string, now: string): Awaitable<boolean>;
  /** Deletes the row if it has expired. */
  purge(key: string, now: string): Awaitable<void>;
  sweep(limit: number, now: string): Awaitable<number>;
}

export interface Dialect {
  /** Whether deadlines have fractions of a second. The time it is always has them. */
  readonly fraction: boolean;
  /** The columns of the table; none when it is missing. */
  inspect(executor: Executor, table: TableName): Awaitable<readonly Column[]>;
  /** Makes the table. One that somebody else is making at this moment is no error. */
  create(executor: Executor, table: TableName, layout: SqlLayout): Awaitable<void>;
  /** @throws SessionConfigError when the table cannot be used */
  verbs(executor: Executor, table: TableName, layout: SqlLayout, columns: readonly Column[]): Verbs;
  /** Others were in the way, nothing was changed, and trying again is right. */
  isContention(error: unknown): boolean;
}

/** @throws SessionConfigError when the column is missing, or of another type */
export function columnOf(columns: readonly Column[], table: TableName, name: string, types: readonly string[]): Column {
  const column = columns.find((each) => each.name === name);
  if (column && (types.length === 0 || types.includes(column.type))) return column;
  const given = column
    ? `${name} of type ${column.type}`
    : `the columns ${columns.map((each) => each.name).join(', ')}`;
  const expected = `a column ${name}${types.length > 0 ? ` of type ${types.join(' or ')}` : ''}, as Flask-Session's table has it, or another name for a table that is made`;
  throw unusable(table, given, expected);
}

export function unusable(table: TableName, given: string, expected: string): SessionConfigError {
  return new SessionConfigError('table', `${quotedTable('sqlite', table)}, which has ${given}`, expected);
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
