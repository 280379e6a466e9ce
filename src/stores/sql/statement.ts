/** One SQL statement, written once with numbered placeholders (`$1`, `$2`, …), for whichever placeholders a dialect has. */
import { createHash } from 'node:crypto';

export type SqlDialect = 'postgresql' | 'mysql' | 'sqlite';

export type SqlValue = string | Buffer | null;

/** How many rows it answers. */
export type Returns = 'nothing' | 'row' | 'rows';

export interface Statement {
  /** With the dialect's own placeholders. */
  readonly sql: string;
  /** Which value each placeholder takes; undefined: each its own, in turn. */
  readonly order: readonly number[] | undefined;
  readonly returns: Returns;
  /** The name under which PostgreSQL keeps it prepared; undefined: it is used too seldom to be kept. */
  readonly name: string | undefined;
}

/** One that is used again and again. Placeholders are never inside of quotes. */
export function statement(dialect: SqlDialect, text: string, returns: Returns = 'nothing'): Statement {
  // PostgreSQL refuses two texts under one name, and cuts names at 63 bytes.
  const name = `flacon_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
  return { ...statementOnce(dialect, text, returns), name };
}

/** One that is used at start, or whose text is another each time. */
export function statementOnce(dialect: SqlDialect, text: string, returns: Returns = 'nothing'): Statement {
  if (dialect === 'postgresql') return { sql: text, order: undefined, returns, name: undefined };
  const order: number[] = [];
  const sql = text.replace(/\$(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1);
    return '?';
  });
  return { sql, order, returns, name: undefined };
}

/** The values in the order of the placeholders. */
export function ordered({ order }: Statement, values: SqlValue[]): SqlValue[] {
  return order ? order.map((index) => values[index] as SqlValue) : values;
}
