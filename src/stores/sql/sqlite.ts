/**
 * SQLite, in a file that a Flask application may share. Every statement is atomic, since only one connection writes at a time.
 * What is there instead of what was expected is asked for after a change that changed nothing: there is no server between.
 */
import { type Awaitable, chain, type StoredRecord } from '../../core/store.ts';
import { SessionConfigError } from '../../errors.ts';
import { type Change, type Column, columnOf, type Dialect, type SqlLayout, toBuffer, type Verbs } from './dialect.ts';
import { hasCode } from './error-code.ts';
import { type Executor, hasChanged, type Take, toNothing } from './executor.ts';
import { quotedTable, type TableName } from './identifier.ts';
import { type Returns, type Statement, statement, statementOnce } from './statement.ts';
import { fromText } from './timestamp.ts';

/** SQLITE_BUSY and SQLITE_LOCKED, with their variants, as `node:sqlite` and `better-sqlite3` have them. */
const CONTENTION: ReadonlySet<unknown> = new Set([
  ...[5, 6, 261, 262, 517, 518, 773],
  ...['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_BUSY_RECOVERY', 'SQLITE_LOCKED_SHAREDCACHE', 'SQLITE_BUSY_SNAPSHOT'],
  ...['SQLITE_LOCKED_VTAB', 'SQLITE_BUSY_TIMEOUT'],
]);

const INSPECT = `
SELECT c.name AS column_name, c.type AS type_name,
  c.dflt_value IS NOT NULL OR (c.pk = 1 AND upper(c.type) = 'INTEGER') AS has_default,
  EXISTS (SELECT 1 FROM pragma_index_list($2, $1) AS l WHERE l."unique" = 1 AND l.partial = 0
    AND (SELECT group_concat(i.name) FROM pragma_index_info(l.name, $1) AS i) = c.name) AS is_unique
FROM pragma_table_info($2, $1) AS c`;

function inspect(executor: Executor, { schema, table }: TableName): Awaitable<Column[]> {
  return executor.run(once(INSPECT, 'rows'), [schema ?? 'main', table], toColumns);
}

const toColumns: Take<Column[]> = (rows) =>
  rows.map(([name, type, hasDefault, isUnique]) => ({
    name: String(name).toLowerCase(),
    type: String(type).toLowerCase(),
    hasDefault: Number(hasDefault) === 1,
    isUnique: Number(isUnique) === 1,
    size: undefined,
  }));

async function create(executor: Executor, table: TableName, layout: SqlLayout): Promise<void> {
  if (layout === 'postgresql')
    throw new SessionConfigError('layout', 'postgresql', 'sqlalchemy, on any other database');
  const text = `
CREATE TABLE ${quotedTable('sqlite', table)} (
	id INTEGER NOT NULL, 
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
    // SQLite has one code for everything that is wrong with a statement. Whether it was this shows when the table is looked at.
    if (!/already exists/.test(String((error as { message?: unknown } | null)?.message))) throw error;
  }
}

function verbs(executor: Executor, table: TableName, _layout: SqlLayout, columns: readonly Column[]): Verbs {
  // Any type will do: SQLite keeps what it is given.
  for (const name of ['data', 'expiry']) columnOf(columns, table, name, []);
  const { isUnique } = columnOf(columns, table, 'session_id', []);
  const id = columns.find((column) => column.name === 'id');
  const name = quotedTable('sqlite', table);
  const needsId = id !== undefined && !id.hasDefault;
  const [idColumn, idValue] = needsId ? ['id, ', `(SELECT COALESCE(MAX(id), 0) + 1 FROM ${name}), `] : ['', ''];

  const isLive = (now: string) => `(expiry > ${now} AND typeof(data) = 'blob')`;
  const isDead = (now: string) => `(expiry IS NULL OR expiry <= ${now} OR typeof(data) <> 'blob')`;
  const make = (text: string, returns?: Returns) => statement('sqlite', text, returns);
  const read = make(`SELECT data, expiry FROM ${name} WHERE session_id = $1 LIMIT 1`, 'row');
  const readLive = make(`SELECT data, expiry FROM ${name} WHERE session_id = $1 AND ${isLive('$2')} LIMIT 1`, 'row');
  const purge = make(`DELETE FROM ${name} WHERE session_id = $1 AND ${isDead('$2')}`);
  const insert = make(
    isUnique && !needsId
      ? `INSERT INTO ${name} (session_id, data, expiry) VALUES ($1, $2, $3) ON CONFLICT (session_id) DO UPDATE
SET data = excluded.data, expiry = excluded.expiry WHERE ${isDead('$4')}`
      : // A table made by hand. Looking and inserting are one step here, too.
        `INSERT INTO ${name} (${idColumn}session_id, data, expiry)
SELECT ${idValue}$1, $2, $3
WHERE NOT EXISTS (SELECT 1 FROM ${name} WHERE session_id = $1 AND ${isLive('$4')})`,
  );
  const update = make(
    `UPDATE ${name} SET data = $2, expiry = $3 WHERE session_id = $1 AND data = $4 AND ${isLive('$5')}`,
  );
  const retire = make(`DELETE FROM ${name} WHERE session_id = $1 AND data = $2 AND ${isLive('$3')}`);
  const touch = make(`UPDATE ${name} SET expiry = $2 WHERE session_id = $1 AND ${isLive('$3')}`);
  const remove = make(`DELETE FROM ${name} WHERE session_id = $1 AND ${isLive('$2')}`);

  const orRow = (changed: boolean, key: string, now: string): Awaitable<Change> =>
    changed ? 'done' : executor.run(readLive, [key, now], toRecord);
  const drop = (key: string, now: string) => executor.run(purge, [key, now], toNothing);
  return {
    read: (key) => executor.run(read, [key], toRecord),
    create: (key, record, expiresAt, now) =>
      chain(isUnique && !needsId ? undefined : drop(key, now), () =>
        chain(executor.run(insert, [key, record, expiresAt, now], hasChanged), (changed) => orRow(changed, key, now)),
      ),
    update: (key, record, expiresAt, expected, now) =>
      chain(executor.run(update, [key, record, expiresAt, expected, now], hasChanged), (changed) =>
        orRow(changed, key, now),
      ),
    retire: (key, expected, now) =>
      chain(executor.run(retire, [key, expected, now], hasChanged), (changed) => orRow(changed, key, now)),
    touch: (key, expiresAt, now) => executor.run(touch, [key, expiresAt, now], hasChanged),
    remove: (key, now) => executor.run(remove, [key, now], hasChanged),
    purge: drop,
    sweep(limit, now) {
      const expired = `SELECT rowid FROM ${name} WHERE ${isDead('$1')} LIMIT ${limit}`;
      const sweep = once(`DELETE FROM ${name} WHERE rowid IN (${expired})`);
      return executor.run(sweep, [now], (_, changes) => changes);
    },
  };
}

function once(text: string, returns?: Returns): Statement {
  return statementOnce('sqlite', text, returns);
}

const toRecord: Take<StoredRecord | undefined> = ([row]) =>
  row?.[0] instanceof Uint8Array ? { bytes: toBuffer(row[0]), expiresAt: fromText(row[1]) } : undefined;

export const sqlite: Dialect = {
  fraction: true,
  inspect,
  create,
  verbs,
  isContention: (error) => hasCode(error, CONTENTION),
};
