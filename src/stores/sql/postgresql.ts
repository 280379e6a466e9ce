/**
 * PostgreSQL. A conditional change is a statement that, where it changes nothing, answers the row that is there instead.
 * Deadlines are compared as what they are to Flask-Session: UTC without a zone, or in the layout of its development
 * branch, which lets the server subtract from `NOW()`, local time of the connection.
 */
import { chain, type StoredRecord } from '../../core/store.ts';
import { type Change, type Column, columnOf, type Dialect, type SqlLayout, toBuffer, type Verbs } from './dialect.ts';
import { hasCode } from './error-code.ts';
import { type Executor, hasChanged, type Take, toNothing, toRows } from './executor.ts';
import { quote, quotedTable, type TableName } from './identifier.ts';
import { type Returns, type Statement, statement, statementOnce } from './statement.ts';
import { fromMilliseconds } from './timestamp.ts';

/** serialization_failure, deadlock_detected, and unique_violation, which is an id that is taken: the next attempt gets another. */
const CONTENTION: ReadonlySet<unknown> = new Set(['40001', '40P01', '23505']);
/** duplicate_schema, duplicate_table, and unique_violation, which is how two who make the same meet in the catalogue. */
const ALREADY_THERE: ReadonlySet<unknown> = new Set(['42P06', '42P07', '23505']);
/** The first half of the keys of our advisory locks; the second is the table's number. */
const LOCK_CLASS = 0x666c6163;

const INSPECT = `
SELECT a.attname::text AS column_name, t.typname::text AS type_name, (a.atthasdef OR a.attidentity <> '')::int AS has_default,
  EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indnkeyatts = 1
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL)::int AS is_unique,
  CASE WHEN t.typname = 'varchar' AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS size
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped`;

async function inspect(executor: Executor, table: TableName): Promise<Column[]> {
  const rows = await executor.run(once(INSPECT, 'rows'), [quotedTable('postgresql', table)], toRows);
  return rows.map(([name, type, hasDefault, isUnique, size]) => ({
    name: String(name),
    type: String(type),
    hasDefault: Number(hasDefault) === 1,
    isUnique: Number(isUnique) === 1,
    size: size === null ? undefined : Number(size),
  }));
}

async function create(executor: Executor, table: TableName, layout: SqlLayout): Promise<void> {
  for (const [text, missing] of layout === 'sqlalchemy' ? sqlalchemyTable(table) : postgresqlTable(table)) {
    try {
      // Making a schema needs a right even where it is there already.
      if (missing) {
        const look = once(`SELECT (${missing[0]}) IS NULL AS missing`, 'row');
        if (!(await executor.run(look, [missing[1]], isTrue))) continue;
      }
      await executor.run(once(text), [], toNothing);
    } catch (error) {
      if (!hasCode(error, ALREADY_THERE)) throw error;
    }
  }
}

type Creation = readonly [text: string, missing?: readonly [expression: string, name: string]];

function sqlalchemyTable(table: TableName): Creation[] {
  const { sequence } = table;
  const name = sequence === undefined ? '' : quote('postgresql', sequence);
  const made: Creation[] = [
    [
      `
CREATE TABLE ${quotedTable('postgresql', table)} (
	id ${sequence === undefined ? 'SERIAL' : 'INTEGER'} NOT NULL, 
	session_id VARCHAR(255), 
	data BYTEA, 
	expiry TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (id), 
	UNIQUE (session_id)
)

`,
    ],
  ];
  return sequence === undefined ? made : [[`CREATE SEQUENCE ${name}`, ['to_regclass($1::text)', name]], ...made];
}

function postgresqlTable({ table, schema = 'public' }: TableName): Creation[] {
  const name = quotedTable('postgresql', { table, schema, sequence: undefined });
  const index = (text: string) => quote('postgresql', text);
  return [
    [`CREATE SCHEMA IF NOT EXISTS "${schema}"`, ['to_regnamespace($1::text)', quote('postgresql', schema)]],
    [
      `CREATE TABLE IF NOT EXISTS ${name} ( session_id VARCHAR(255) NOT NULL PRIMARY KEY, created TIMESTAMP WITHOUT TIME ZONE DEFAULT (NOW() AT TIME ZONE 'utc'), data BYTEA, expiry TIMESTAMP WITHOUT TIME ZONE )`,
    ],
    [`CREATE UNIQUE INDEX IF NOT EXISTS ${index(`uq_${table}_session_id`)} ON ${name} (session_id)`],
    [`CREATE INDEX IF NOT EXISTS ${index(`${table}_expiry_idx`)} ON ${name} (expiry)`],
  ];
}

/** The pieces in which the two layouts differ. `t` is the table. */
interface Pieces {
  /** A time that is given, as what is kept in the column. */
  time(placeholder: string): string;
  /** The column in milliseconds since 1970. */
  readonly milliseconds: string;
  isLive(now: string): string;
}

const PIECES: Readonly<Record<SqlLayout, Pieces>> = {
  sqlalchemy: {
    time: (placeholder) => `${placeholder}::text::timestamp`,
    milliseconds: '(extract(epoch FROM t.expiry) * 1000)::float8',
    isLive: (now) => `(t.expiry > ${now}::text::timestamp AND t.data IS NOT NULL)`,
  },
  postgresql: {
    time: (placeholder) => `(${placeholder}::text::timestamp AT TIME ZONE 'UTC')`,
    // Flask-Session deletes what has a deadline before now, so without one a row is live.
    milliseconds: "COALESCE((extract(epoch FROM t.expiry::timestamptz) * 1000)::float8, 'Infinity')",
    isLive: (now) =>
      `((t.expiry IS NULL OR t.expiry::timestamptz > ${now}::text::timestamp AT TIME ZONE 'UTC') AND t.data IS NOT NULL)`,
  },
};

function verbs(executor: Executor, table: TableName, layout: SqlLayout, columns: readonly Column[]): Verbs {
  const session = columnOf(columns, table, 'session_id', ['varchar', 'text', 'bpchar']);
  columnOf(columns, table, 'data', ['bytea']);
  columnOf(columns, table, 'expiry', ['timestamp']);
  const id = columns.find(({ name }) => name === 'id');
  // A deadline or a record is never missing in our rows; whatever else the table has needs a default of its own.
  const needsId = id !== undefined && !id.hasDefault && table.sequence === undefined;
  const name = quotedTable('postgresql', table);
  const { time, milliseconds, isLive } = PIECES[layout];

  /** What a change answers: that it was done, or the live row. */
  const answering = (changed: string, now: string) => `SELECT true AS done, NULL::bytea AS data, NULL::float8 AS expires
FROM ${changed} UNION ALL (SELECT false, t.data, ${milliseconds} FROM ${name} AS t
WHERE t.session_id = $1 AND ${isLive(now)} AND NOT EXISTS (SELECT 1 FROM ${changed}) LIMIT 1)`;
  const change = (text: string, now: string) =>
    statement('postgresql', `WITH changed AS (${text} RETURNING 1) ${answering('changed', now)}`, 'rows');
  const simple = (text: string) => statement('postgresql', text);

  const [idColumn, idValue] =
    id && table.sequence !== undefined ? ['id, ', `nextval('${quote('postgresql', table.sequence)}'), `] : ['', ''];
  const read = statement(
    'postgresql',
    `SELECT t.data, ${milliseconds} AS expires FROM ${name} AS t WHERE t.session_id = $1 LIMIT 1`,
    'row',
  );
  const replaced = `UPDATE ${name} AS t SET data = $2, expiry = ${time('$3')} WHERE t.session_id = $1`;
  const insert = change(
    `INSERT INTO ${name} AS t (${idColumn}session_id, data, expiry) VALUES (${idValue}$1, $2, ${time('$3')})
ON CONFLICT (session_id) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry WHERE ${isLive('$4')} IS NOT TRUE`,
    '$4',
  );
  // For a table made by hand. The lock makes sure that nobody of ours inserts between the look and the insertion.
  const [handId, handValue] = needsId
    ? ['id, ', `(SELECT COALESCE(MAX(id), 0) + 1 FROM ${name}), `]
    : [idColumn, idValue];
  const insertLocked = statement(
    'postgresql',
    `WITH replaced AS (${replaced} AND ${isLive('$4')} IS NOT TRUE RETURNING 1),
inserted AS (INSERT INTO ${name} (${handId}session_id, data, expiry) SELECT ${handValue}$1::text, $2::bytea, ${time('$3')}
WHERE NOT EXISTS (SELECT 1 FROM ${name} AS t WHERE t.session_id = $1::text) RETURNING 1),
changed AS (SELECT 1 FROM replaced UNION ALL SELECT 1 FROM inserted) ${answering('changed', '$4')}`,
    'rows',
  );
  const update = change(`${replaced} AND t.data = $4 AND ${isLive('$5')}`, '$5');
  const retire = change(`DELETE FROM ${name} AS t WHERE t.session_id = $1 AND t.data = $2 AND ${isLive('$3')}`, '$3');
  const touch = simple(`UPDATE ${name} AS t SET expiry = ${time('$2')} WHERE t.session_id = $1 AND ${isLive('$3')}`);
  const remove = simple(`DELETE FROM ${name} AS t WHERE t.session_id = $1 AND ${isLive('$2')}`);
  const purge = simple(`DELETE FROM ${name} AS t WHERE t.session_id = $1 AND ${isLive('$2')} IS NOT TRUE`);

  const locks = needsId || !session.isUnique;
  let lock: Statement | undefined;
  return {
    read: (key) => executor.run(read, [key], toRecord),
    create(key, record, expiresAt, now) {
      const values = [key, record, expiresAt, now];
      if (!locks) return executor.run(insert, values, toChange);
      return chain(lock ?? lockOf(executor, name), (found) => {
        lock = found;
        return executor.runLocked!(found, insertLocked, values, toChange);
      });
    },
    update: (key, record, expiresAt, expected, now) =>
      executor.run(update, [key, record, expiresAt, expected, now], toChange),
    retire: (key, expected, now) => executor.run(retire, [key, expected, now], toChange),
    touch: (key, expiresAt, now) => executor.run(touch, [key, expiresAt, now], hasChanged),
    remove: (key, now) => executor.run(remove, [key, now], hasChanged),
    purge: (key, now) => executor.run(purge, [key, now], toNothing),
    sweep(limit, now) {
      const expired = `SELECT t.ctid FROM ${name} AS t WHERE ${isLive('$1')} IS NOT TRUE LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
      const sweep = once(`DELETE FROM ${name} WHERE ctid = ANY (ARRAY(${expired}))`);
      return executor.run(sweep, [now], (_, changes) => changes);
    },
  };
}

/** A lock that ends with the transaction, and holds up nobody but those who insert. */
async function lockOf(executor: Executor, name: string): Promise<Statement> {
  const level = once("SELECT current_setting('transaction_isolation') = 'read committed' AS is_usual", 'row');
  if (await executor.run(level, [], isTrue)) {
    return once(`SELECT pg_advisory_xact_lock(${LOCK_CLASS}, '${name}'::regclass::oid::int)::text AS locked`, 'row');
  }
  // Elsewhere a transaction sees for good what its first SELECT saw, which that one would be. This mode keeps away VACUUM, too.
  return once(`LOCK TABLE ${name} IN SHARE UPDATE EXCLUSIVE MODE`);
}

function once(text: string, returns?: Returns): Statement {
  return statementOnce('postgresql', text, returns);
}

const isTrue: Take<boolean> = (rows) => rows[0]?.[0] === true;
const toRecord: Take<StoredRecord | undefined> = (rows) => recordOf(rows[0]?.[0], rows[0]?.[1]);
const toChange: Take<Change> = (rows) => (rows[0]?.[0] === true ? 'done' : recordOf(rows[0]?.[1], rows[0]?.[2]));

function recordOf(data: unknown, expires: unknown): StoredRecord | undefined {
  if (!(data instanceof Uint8Array)) return undefined;
  return { bytes: toBuffer(data), expiresAt: fromMilliseconds(expires) };
}

export const postgresql: Dialect = {
  fraction: true,
  inspect,
  create,
  verbs,
  isContention: (error) => hasCode(error, CONTENTION),
};
