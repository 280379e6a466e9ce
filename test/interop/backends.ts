/** Where both applications keep their sessions: a row for each store, by the settings that both understand. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startDynamodb } from '../servers/dynamodb.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { startMemcached } from '../servers/memcached.ts';
import { startMongodb } from '../servers/mongodb.ts';
import { startPostgres } from '../servers/postgres.ts';
import { type TestServer, temporaryFolder } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';
import type { Kind } from './crossing.ts';
import { OLD_CACHELIB } from './python.ts';
import type { Settings } from './sides.ts';

export interface Backend {
  readonly name: string;
  /** What records are written as. */
  readonly kinds: readonly Kind[];
  /** What Flask runs with in place of the newest release. */
  readonly package?: string;
  readonly tolerated?: Tolerated;
  /** Where records are files: what Flask and we both call them. */
  readonly fileNames?: RegExp;
  /** @throws ServerMissing with what to install */
  start(): Promise<Place>;
}

/** Of Flask's writes under load, how many ours may replace unseen. */
export interface Tolerated {
  readonly writes: number;
  readonly reason: string;
}

export interface Place {
  /** @param name of letters and digits: each is a place of its own */
  settings(name: string): Settings;
  stop(): Promise<void>;
}

/** On a server that others use too. */
const RUN = randomBytes(4).toString('hex');

const MSGSPEC: readonly Kind[] = ['msgpack', 'json'];

/** Mostly none or one is lost; on a machine that has other work, more: docs/decisions/files-and-flask.md. */
const FILES: Tolerated = {
  writes: 10,
  reason:
    'Flask takes no lock on a file, and no system call of Node replaces a file on condition that it still is the same',
};

export const BACKENDS: readonly Backend[] = [
  { name: 'null', kinds: ['cookie'], start: nowhere },
  ...['filesystem', 'cachelib'].flatMap((type): Backend[] => {
    const row: Backend = { name: type, kinds: ['pickle'], tolerated: FILES, start: () => folder(type) };
    return [
      { ...row, fileNames: /^[0-9a-f]{64}$/ },
      { ...row, name: `${type}, ${OLD_CACHELIB}`, package: OLD_CACHELIB, fileNames: /^[0-9a-f]{32}$/ },
    ];
  }),
  { name: 'redis', kinds: MSGSPEC, start: () => server(startRedis, redis) },
  { name: 'memcached', kinds: MSGSPEC, start: () => server(startMemcached, memcached) },
  { name: 'mongodb', kinds: MSGSPEC, start: () => server(startMongodb, mongodb) },
  { name: 'sqlalchemy, SQLite', kinds: MSGSPEC, start: sqlite },
  { name: 'sqlalchemy, PostgreSQL', kinds: MSGSPEC, start: () => server(startPostgres, postgresql) },
  { name: 'sqlalchemy, MariaDB', kinds: MSGSPEC, start: () => server(startMariadb, mariadb) },
  { name: 'dynamodb', kinds: MSGSPEC, start: () => server(startDynamodb, dynamodb) },
];

async function nowhere(): Promise<Place> {
  return { settings: () => ({ SESSION_TYPE: 'null' }), stop: async () => {} };
}

async function folder(type: string): Promise<Place> {
  const { path, remove } = temporaryFolder('interop');
  return {
    settings: (name) => ({ SESSION_TYPE: type, SESSION_FILE_DIR: join(path, name) }),
    stop: async () => remove(),
  };
}

async function sqlite(): Promise<Place> {
  const { path, remove } = temporaryFolder('interop');
  return {
    settings: (name) => ({
      SESSION_TYPE: 'sqlalchemy',
      SQLALCHEMY_DATABASE_URI: `sqlite:///${join(path, `${name}.db`)}`,
    }),
    stop: async () => remove(),
  };
}

async function server(
  start: () => Promise<TestServer>,
  settings: (url: string, name: string) => Settings,
): Promise<Place> {
  const { url, stop } = await start();
  return { settings: (name) => settings(url, `interop_${RUN}_${name}`), stop };
}

/** Ids are random: nothing of another run is in the way. */
function redis(url: string): Settings {
  return { SESSION_TYPE: 'redis', SESSION_REDIS: url };
}

function memcached(url: string): Settings {
  return { SESSION_TYPE: 'memcached', SESSION_MEMCACHED: url };
}

function mongodb(url: string, name: string): Settings {
  return { SESSION_TYPE: 'mongodb', SESSION_MONGODB: url, SESSION_MONGODB_DB: name };
}

/** As SQLAlchemy spells it, with the driver's name. */
function sqlalchemy(uri: string, name: string): Settings {
  return { SESSION_TYPE: 'sqlalchemy', SQLALCHEMY_DATABASE_URI: uri, SESSION_SQLALCHEMY_TABLE: name };
}

function postgresql(url: string, name: string): Settings {
  return sqlalchemy(url.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'), name);
}

function mariadb(url: string, name: string): Settings {
  return sqlalchemy(url.replace(/^(mysql|mariadb):/, 'mysql+pymysql:'), name);
}

function dynamodb(url: string, name: string): Settings {
  return { SESSION_TYPE: 'dynamodb', SESSION_DYNAMODB: url, SESSION_DYNAMODB_TABLE: name };
}
