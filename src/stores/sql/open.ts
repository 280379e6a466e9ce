/** A connection of the store's own, for a URL, through the driver that is installed. */
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { SessionConfigError } from '../../errors.ts';
import { loadSqlite } from '../sqlite-database.ts';
import { survive } from './client.ts';
import type { Executor } from './executor.ts';
import { MysqlExecutor, type MysqlPromiseClient } from './mysql2-client.ts';
import { PgExecutor, type PgPool } from './pg-client.ts';
import { type SqliteClient, SqliteExecutor } from './sqlite-client.ts';
import type { SqlAddress } from './url.ts';

/** Milliseconds until a connection has to be there, also one that is waited for because all are in use. */
const CONNECT_TIMEOUT = 5000;
/** Milliseconds after which a connection that does not answer is given up: its caller has given up long ago. */
const ANSWER_TIMEOUT = 10_000;
const CONNECTIONS = 10;
/** Milliseconds for which SQLite may hold up the process while somebody else is writing; the store then tries again. */
const BLOCKING = 2;

/** Named at run time, so that bundlers do not ask for a driver that is not used. */
const importModule = (name: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);

export interface OpenOptions {
  readonly prepare: boolean;
  /** Whether a file that is missing is made. */
  readonly create: boolean;
}

/** @throws SessionConfigError when the driver is not installed */
export async function openSql(address: SqlAddress, options: OpenOptions, load = importModule): Promise<Executor> {
  const { prepare } = options;
  switch (address.dialect) {
    case 'postgresql':
      return openPostgresql(await driver('pg', load), address, prepare);
    case 'mysql':
      return openMysql(await driver('mysql2/promise', load), address, prepare);
    case 'sqlite':
      return openSqlite(loadSqlite() ?? (await driver('better-sqlite3', load)), address.database, options);
  }
}

async function driver(name: string, load: typeof importModule): Promise<unknown> {
  try {
    return await load(name);
  } catch (error) {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    const [owner] = name.split('/');
    const expected = `an installed driver (npm install ${owner}), or an object as \`client\``;
    throw new SessionConfigError('url', `a URL, and ${owner} cannot be found`, expected);
  }
}

interface PgModule {
  readonly Pool: new (options: object) => PgPool & { end(): Promise<void> };
}

function openPostgresql(module: unknown, address: SqlAddress, prepare: boolean): Executor {
  const { Pool } = withDefault<PgModule>(module, 'Pool');
  const pool = new Pool({
    connectionString: connectionString(address),
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: ANSWER_TIMEOUT,
    keepAlive: true,
    // A program that is done ends without waiting for connections that nobody uses.
    allowExitOnIdle: true,
  });
  survive(pool);
  return Object.assign(new PgExecutor(pool, prepare), { close: () => pool.end() });
}

/** With everything escaped that needs to be, and the parameters, which `pg` reads as libpq does. */
function connectionString({ username, password, host, port, database, query }: SqlAddress): string {
  const user = username === undefined ? '' : encodeURIComponent(username);
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const at = user || secret ? `${user}${secret}@` : '';
  const where = `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  const search = query.size > 0 ? `?${query}` : '';
  return `postgresql://${at}${where}/${encodeURIComponent(database)}${search}`;
}

interface MysqlConnection extends MysqlPromiseClient {
  release(): void;
  destroy(): void;
}

interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
  end(): Promise<void>;
}

interface MysqlModule {
  createPool(options: object): MysqlPool;
}

function openMysql(module: unknown, address: SqlAddress, prepare: boolean): Executor {
  const { createPool } = withDefault<MysqlModule>(module, 'createPool');
  const { username, password, host, port, database, query } = address;
  const pool = createPool({
    user: username,
    password,
    host: host || undefined,
    port,
    database: database || undefined,
    socketPath: query.get('unix_socket') ?? undefined,
    ssl: tlsFrom(query),
    connectionLimit: CONNECTIONS,
    connectTimeout: CONNECT_TIMEOUT,
    enableKeepAlive: true,
  });
  const client: MysqlPromiseClient = {
    execute: (each, values) => inTime(pool, (connection) => connection.execute(each, values)),
    query: (each, values) => inTime(pool, (connection) => connection.query(each, values)),
  };
  return Object.assign(new MysqlExecutor(client, prepare), { close: () => pool.end() });
}

function tlsFrom(query: URLSearchParams): object | undefined {
  const files = ['ca', 'cert', 'key'].map((name) => [name, query.get(`ssl_${name}`)] as const);
  const given = files.filter((file): file is [string, string] => file[1] !== null);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map(([name, path]) => [name, readFileSync(path)]));
}

/** Destroys a connection that does not answer, which ends what waits on it with an error. */
async function inTime<T>(pool: MysqlPool, step: (connection: MysqlConnection) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  let silent = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      step(connection),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          silent = true;
          reject(new Error(`no answer within ${ANSWER_TIMEOUT / 1000} s`));
        }, ANSWER_TIMEOUT);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (silent) connection.destroy();
    else connection.release();
  }
}

interface SqliteModule {
  readonly DatabaseSync?: new (path: string) => SqliteClient & { close(): void };
  readonly default?: new (path: string) => SqliteClient & { close(): void };
}

function openSqlite(module: unknown, path: string, { prepare, create }: OpenOptions): Executor {
  const { DatabaseSync, default: BetterSqlite } = module as SqliteModule;
  // For its owner only, as it holds what visitors are known by. One that is there keeps its permissions.
  if (path !== ':memory:' && !existsSync(path)) {
    if (!create)
      throw new SessionConfigError('url', 'a SQLite file that is not there', 'one that is, or the option `create`');
    closeSync(openSync(path, 'a', 0o600));
  }
  const database = new (DatabaseSync ?? BetterSqlite!)(path);
  database.exec(`PRAGMA busy_timeout = ${BLOCKING}`);
  return Object.assign(new SqliteExecutor(database, prepare), { close: async () => database.close() });
}

/** A CommonJS module has its exports in `default` where nothing names them. */
function withDefault<T>(module: unknown, name: keyof T): T {
  const { default: inner } = module as { default?: T };
  return name in (module as object) ? (module as T) : (inner as T);
}
