/**
 * MySQL and MariaDB. No statement of theirs both changes a row and answers one, so what is there instead is asked for after
 * a change that changed nothing.
 *
 * Deadlines are whole seconds, because MySQL rounds fractions up, for a column that holds none. Neither is allowed to cut
 * a record: outside of strict mode they would, so lengths are checked here.
 */
import type { StoredRecord } from '../../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../../errors.ts';
import {
  type Change,
  type Column,
  columnOf,
  type Dialect,
  type SqlLayout,
  toBuffer,
  unusable,
  type Verbs,
} from './dialect.ts';
import { hasCode } from './error-code.ts';
import type { Executor } from './executor.ts';
import { quotedTable, type TableName } from './identifier.ts';
import { type SqlValue, type Statement, statement, statementOnce } from './statement.ts';
import { fromMilliseconds, toTimestamp } from './timestamp.ts';

/** A deadlock, or a lock that was waited for in vain. */
const CONTENTION: ReadonlySet<unknown> = new Set([
  1213,
  1205,
  '1213',
  '1205',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
]);
const DUPLICATE: ReadonlySet<unknown> = new Set([1062, '1062', 'ER_DUP_ENTRY']);
const ALREADY_THERE: ReadonlySet<unknown> = new Set([1050, '1050', 'ER_TABLE_EXISTS_ERROR']);

/** The names of the columns of `information_schema` come in either case. */
const INSPECT = `
SELECT c.column_name AS column_name, c.data_type AS type_name,
  c.column_default IS NOT NULL OR c.extra LIKE '%auto_increment%' OR c.extra LIKE '%DEFAULT_GENERATED%' AS has_default,
  EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = c.table_schema AND s.table_name = c.table_name
    AND s.column_name = c.column_name AND s.non_unique = 0 AND s.sub_part IS NULL AND s.seq_in_index = 1
    AND NOT EXISTS (SELECT 1 FROM information_schema.statistics o WHERE o.table_schema = s.table_schema
      AND o.table_name = s.table_name AND o.index_name = s.index_name AND o.seq_in_index = 2)) AS is_unique,
  c.character_maximum_length AS size
FROM information_schema.columns c WHERE c.table_schema = COALESCE($1, DATABASE()) AND c.table_name = $2`;

async function inspect(executor: Executor, { schema, table }: TableName): Promise<Column[]> {
  if (executor.interpolates) await checkEscaping(executor);
  const { rows } = await executor.run(once(INSPECT, true), [schema ?? null, table]);
  return rows.map(([name, type, hasDefault, isUnique, size]) => ({
    name: String(name).toLowerCase(),
    type: String(type).toLowerCase(),
    hasDefault: Number(hasDefault) === 1,
    isUnique: Number(isUnique) === 1,
    size: size === null ? undefined : Number(size),
  }));
}

/** Drivers that write values into the text escape quotes with backslashes: in this mode, that escapes nothing. */
async function checkEscaping(executor: Executor): Promise<void> {
  const { rows } = await executor.run(once('SELECT @@SESSION.sql_mode AS mode', true), []);
  if (!String(rows[0]?.[0]).includes('NO_BACKSLASH_ESCAPES')) return;
  const given = 'a connection that writes values into statements, on a server with the sql_mode NO_BACKSLASH_ESCAPES';
  throw new SessionConfigError('client', given, 'a mysql2 pool with prepared statements, or another sql_mode');
}

async function create(executor: Executor, table: TableName, layout: SqlLayout): Promise<void> {
  if (layout === 'postgresql')
    throw new SessionConfigError('layout', 'postgresql', 'sqlalchemy, on any other database');
  const text = `
CREATE TABLE ${quotedTable('mysql', table)} (
	id INTEGER NOT NULL${table.sequence === undefined ? ' AUTO_INCREMENT' : ''}, 
	session_id VARCHAR(255), 
	data BLOB, 
	expiry DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (session_id)
)

`;
  try {
    await executor.run(once(text, false), []);
  } catch (error) {
    if (!hasCode(error, ALREADY_THERE)) throw error;
  }
}

function verbs(executor: Executor, table: TableName, _layout: SqlLayout, columns: readonly Column[]): Verbs {
  const id = columnOf(columns, table, 'id', ['int', 'bigint', 'mediumint', 'smallint']);
  const session = columnOf(columns, table, 'session_id', ['varchar', 'char', 'varbinary']);
  const { size: largest } = columnOf(columns, table, 'data', [
    'blob',
    'mediumblob',
    'longblob',
    'varbinary',
    'tinyblob',
  ]);
  columnOf(columns, table, 'expiry', ['datetime']);
  const name = quotedTable('mysql', table);
  if (!session.isUnique) {
    const expected = `a unique index, which keeps two first writes from making two rows: ALTER TABLE ${name} ADD UNIQUE (session_id)`;
    throw unusable(table, 'no unique index on session_id', expected);
  }

  // The second comparison is for the collations to which `a`, `A` and `a ` are the same.
  const bytes = (text: string) => `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`;
  const isKey = `session_id = $1 AND ${bytes('session_id')} = ${bytes('$1')}`;
  const time = (placeholder: string) => `CAST(${placeholder} AS DATETIME(6))`;
  const isLive = (now: string) => `(expiry > ${time(now)} AND data IS NOT NULL)`;
  const isDead = (now: string) => `(expiry IS NULL OR expiry <= ${time(now)} OR data IS NULL)`;

  const make = (text: string, returnsRows = false) => statement('mysql', text, returnsRows);
  const columnsRead = "data, TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', expiry) AS expires";
  const read = make(`SELECT ${columnsRead} FROM ${name} WHERE ${isKey}`, true);
  const readLive = make(`SELECT ${columnsRead} FROM ${name} WHERE ${isKey} AND ${isLive('$2')}`, true);
  const alike = make(`SELECT id FROM ${name} WHERE session_id = $1 AND NOT (${isKey})`, true);
  const insert = make(
    id.hasDefault
      ? `INSERT INTO ${name} (session_id, data, expiry) VALUES ($1, $2, $3)`
      : `INSERT INTO ${name} (id, session_id, data, expiry)
SELECT COALESCE(MAX(id), 0) + 1, $1, CAST($2 AS BINARY), CAST($3 AS DATETIME) FROM ${name}`,
  );
  const replace = make(`UPDATE ${name} SET data = $2, expiry = $3 WHERE ${isKey} AND ${isDead('$4')}`);
  const update = make(`UPDATE ${name} SET data = $2, expiry = $3 WHERE ${isKey} AND data = $4 AND ${isLive('$5')}`);
  const retire = make(`DELETE FROM ${name} WHERE ${isKey} AND data = $2 AND ${isLive('$3')}`);
  const touch = make(`UPDATE ${name} SET expiry = $2 WHERE ${isKey} AND ${isLive('$3')}`);
  const remove = make(`DELETE FROM ${name} WHERE ${isKey} AND ${isLive('$2')}`);
  const purge = make(`DELETE FROM ${name} WHERE ${isKey} AND ${isDead('$2')}`);

  const seconds = (at: number) => toTimestamp(at, false);
  const text = (at: number) => toTimestamp(at, true);
  const rowsOf = async (each: Statement, values: SqlValue[]) => (await executor.run(each, values)).rows;
  const changes = async (each: Statement, values: SqlValue[]) => (await executor.run(each, values)).changes > 0;
  const live = async (key: string, now: number) => toRecord((await rowsOf(readLive, [key, text(now)]))[0]);

  /** A connection may be set up to count only the rows that came out different (`-FOUND_ROWS`). */
  const isAlready = (row: StoredRecord | undefined, expiresAt: number) =>
    row !== undefined && toTimestamp(row.expiresAt, false) === seconds(expiresAt);

  function checkLength(record: Buffer): void {
    if (largest === undefined || record.length <= largest) return;
    const message = `session store sql: a record of ${record.length} bytes, and the column data holds ${largest}: ALTER TABLE ${name} MODIFY data MEDIUMBLOB`;
    throw new SessionStoreError('sql', 'write', message);
  }

  return {
    read: async (key) => toRecord((await rowsOf(read, [key]))[0]),
    async create(key, record, expiresAt, now): Promise<Change> {
      checkLength(record);
      if (session.size !== undefined && key.length > session.size) {
        throw new SessionStoreError(
          'sql',
          'write',
          `session store sql: the column session_id holds ${session.size} characters`,
        );
      }
      try {
        await executor.run(insert, [key, record, seconds(expiresAt)]);
        return 'done';
      } catch (error) {
        if (!hasCode(error, DUPLICATE)) throw error;
      }
      if (await changes(replace, [key, record, seconds(expiresAt), text(now)])) return 'done';
      const row = await live(key, now);
      if (!row && (await rowsOf(alike, [key])).length > 0) {
        const message =
          'session store sql: there is a key that differs in case only, which the collation of session_id takes for the same';
        throw new SessionStoreError('sql', 'write', message);
      }
      return row;
    },
    async update(key, record, expiresAt, expected, now): Promise<Change> {
      checkLength(record);
      if (await changes(update, [key, record, seconds(expiresAt), expected, text(now)])) return 'done';
      const row = await live(key, now);
      return row && isAlready(row, expiresAt) && record.equals(expected) && record.equals(row.bytes) ? 'done' : row;
    },
    retire: async (key, expected, now) =>
      (await changes(retire, [key, expected, text(now)])) ? 'done' : live(key, now),
    async touch(key, expiresAt, now) {
      for (;;) {
        if (await changes(touch, [key, seconds(expiresAt), text(now)])) return true;
        const row = await live(key, now);
        if (!row || isAlready(row, expiresAt)) return row !== undefined;
      }
    },
    remove: (key, now) => changes(remove, [key, text(now)]),
    async purge(key, now) {
      await executor.run(purge, [key, text(now)]);
    },
    async sweep(limit, now) {
      // Deleting by a condition without an index would lock every row that is looked at; a plain SELECT locks none.
      const found = `SELECT id FROM ${name} WHERE ${isDead('$1')} LIMIT ${limit}`;
      const ids = (await rowsOf(once(found, true), [text(now)])).map(([each]) => BigInt(String(each)));
      if (ids.length === 0) return 0;
      const sweep = once(`DELETE FROM ${name} WHERE id IN (${ids.join(', ')}) AND ${isDead('$1')}`, false);
      return (await executor.run(sweep, [text(now)])).changes;
    },
  };
}

function once(text: string, returnsRows: boolean): Statement {
  return statementOnce('mysql', text, returnsRows);
}

function toRecord(row: readonly unknown[] | undefined): StoredRecord | undefined {
  if (!row?.[0]) return undefined;
  return {
    bytes: toBuffer(row[0] as Uint8Array),
    expiresAt: fromMilliseconds(row[1] === null ? null : Number(row[1]) / 1000),
  };
}

export const mysql: Dialect = {
  fraction: false,
  inspect,
  create,
  verbs,
  isContention: (error) => hasCode(error, CONTENTION),
};
