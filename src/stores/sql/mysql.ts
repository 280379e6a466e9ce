/**
 * MySQL and MariaDB. No statement of theirs both changes a row and answers one, so what is there instead is asked for after
 * a change that changed nothing.
 *
 * Deadlines are whole seconds, because MySQL rounds fractions up, for a column that holds none. Neither is allowed to cut
 * a record: outside of strict mode they would, so lengths are checked here.
 */
import { type Awaitable, chain, type StoredRecord } from '../../core/store.ts';
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
import { type Executor, hasChanged, type Take, toNothing, toRows } from './executor.ts';
import { quotedTable, type TableName } from './identifier.ts';
import { type Returns, type Statement, statement, statementOnce } from './statement.ts';
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
  const rows = await executor.run(once(INSPECT, 'rows'), [schema ?? null, table], toRows);
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
  const mode = await executor.run(once('SELECT @@SESSION.sql_mode AS mode', 'row'), [], (rows) => String(rows[0]?.[0]));
  if (!mode.includes('NO_BACKSLASH_ESCAPES')) return;
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
    await executor.run(once(text), [], toNothing);
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

  const make = (text: string, returns?: Returns) => statement('mysql', text, returns);
  const columnsRead = "data, TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', expiry) AS expires";
  const read = make(`SELECT ${columnsRead} FROM ${name} WHERE ${isKey}`, 'row');
  const readLive = make(`SELECT ${columnsRead} FROM ${name} WHERE ${isKey} AND ${isLive('$2')}`, 'row');
  const alike = make(`SELECT id FROM ${name} WHERE session_id = $1 AND NOT (${isKey})`, 'row');
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

  const live = (key: string, now: string) => executor.run(readLive, [key, now], toRecord);
  const done = (changed: boolean, otherwise: () => Awaitable<Change>): Awaitable<Change> =>
    changed ? 'done' : otherwise();
  /** A connection may be set up to count only the rows that came out different (`-FOUND_ROWS`). */
  const isAlready = (row: StoredRecord | undefined, expiresAt: string) =>
    row !== undefined && toTimestamp(row.expiresAt, false) === expiresAt;

  function checkLengths(key: string, record: Buffer): void {
    if (largest !== undefined && record.length > largest) {
      const message = `a record of ${record.length} bytes, and the column data holds ${largest}: ALTER TABLE ${name} MODIFY data MEDIUMBLOB`;
      throw refused(message);
    }
    if (session.size !== undefined && key.length > session.size) {
      throw refused(`the column session_id holds ${session.size} characters`);
    }
  }

  return {
    read: (key) => executor.run(read, [key], toRecord),
    async create(key, record, expiresAt, now): Promise<Change> {
      checkLengths(key, record);
      try {
        return await executor.run(insert, [key, record, expiresAt], () => 'done' as const);
      } catch (error) {
        if (!hasCode(error, DUPLICATE)) throw error;
      }
      if (await executor.run(replace, [key, record, expiresAt, now], hasChanged)) return 'done';
      const row = await live(key, now);
      if (!row && (await executor.run(alike, [key], (rows) => rows.length > 0))) {
        throw refused('there is a key that differs in case only, which the collation of session_id takes for the same');
      }
      return row;
    },
    update(key, record, expiresAt, expected, now) {
      checkLengths(key, record);
      return chain(executor.run(update, [key, record, expiresAt, expected, now], hasChanged), (changed) =>
        done(changed, () =>
          chain(live(key, now), (row) => {
            const isSame = row && isAlready(row, expiresAt) && record.equals(expected) && record.equals(row.bytes);
            return isSame ? 'done' : row;
          }),
        ),
      );
    },
    retire: (key, expected, now) =>
      chain(executor.run(retire, [key, expected, now], hasChanged), (changed) => done(changed, () => live(key, now))),
    touch(key, expiresAt, now) {
      return chain(executor.run(touch, [key, expiresAt, now], hasChanged), (changed) =>
        changed
          ? true
          : chain(
              live(key, now),
              (row) => isAlready(row, expiresAt) || (row ? this.touch(key, expiresAt, now) : false),
            ),
      );
    },
    remove: (key, now) => executor.run(remove, [key, now], hasChanged),
    purge: (key, now) => executor.run(purge, [key, now], toNothing),
    async sweep(limit, now) {
      // Deleting by a condition without an index would lock every row that is looked at; a plain SELECT locks none.
      const found = once(`SELECT id FROM ${name} WHERE ${isDead('$1')} LIMIT ${limit}`, 'rows');
      const ids = await executor.run(found, [now], (rows) => rows.map(([each]) => BigInt(String(each))));
      if (ids.length === 0) return 0;
      const sweep = once(`DELETE FROM ${name} WHERE id IN (${ids.join(', ')}) AND ${isDead('$1')}`);
      return executor.run(sweep, [now], (_, changes) => changes);
    },
  };
}

function once(text: string, returns?: Returns): Statement {
  return statementOnce('mysql', text, returns);
}

function refused(why: string): SessionStoreError {
  return new SessionStoreError('sql', 'write', `session store sql: ${why}`);
}

const toRecord: Take<StoredRecord | undefined> = ([row]) => {
  if (!(row?.[0] instanceof Uint8Array)) return undefined;
  const microseconds = row[1] === null ? Number.NaN : Number(row[1]);
  return { bytes: toBuffer(row[0]), expiresAt: fromMilliseconds(microseconds / 1000) };
};

export const mysql: Dialect = {
  fraction: false,
  inspect,
  create,
  verbs,
  isContention: (error) => hasCode(error, CONTENTION),
};
