/** Names of tables, schemas and sequences: checked, and quoted wherever they are used. */
import { SessionConfigError } from '../../errors.ts';
import type { SqlDialect } from './statement.ts';

/** Nothing that ends a quotation, no placeholder of any driver, and no dot: a schema is an option of its own. */
const NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_ -]*[\p{L}\p{M}\p{N}_-])?$/u;
/** Bytes that PostgreSQL keeps of a name; it cuts longer ones without a word. */
const LONGEST = 63;

/** @throws SessionConfigError */
export function checkName(option: string, name: string): string {
  if (typeof name === 'string' && NAME.test(name) && Buffer.byteLength(name) <= LONGEST) return name;
  const expected = `a name of at most ${LONGEST} bytes, of letters, digits, underscores, and hyphens or spaces inside`;
  throw new SessionConfigError(option, JSON.stringify(name), expected);
}

export function quote(dialect: SqlDialect, name: string): string {
  return dialect === 'mysql' ? `\`${name}\`` : `"${name}"`;
}

export interface TableName {
  readonly table: string;
  readonly schema: string | undefined;
  readonly sequence: string | undefined;
}

export function quotedTable(dialect: SqlDialect, { schema, table }: TableName): string {
  return schema === undefined ? quote(dialect, table) : `${quote(dialect, schema)}.${quote(dialect, table)}`;
}
