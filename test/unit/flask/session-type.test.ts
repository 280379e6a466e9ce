import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionStore } from 'flacon';
import { type FlaskConfig, flaskConfig } from 'flacon/flask';
import { MemoryStore } from 'flacon/stores/memory';
import { afterAll, expect, test } from 'vitest';

const FOLDER = mkdtempSync(join(tmpdir(), 'flacon-type-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const storeOf = (config: FlaskConfig) => flaskConfig(config).store as SessionStore;
const later = Date.now() + 60_000;
const record = new Uint8Array([1]);

test.each([[undefined], [null], ['null'], ['NULL']])('SESSION_TYPE %j is the signed cookie', (type) => {
  expect(flaskConfig(type === undefined ? {} : { SESSION_TYPE: type }).store).toBe('cookie');
});

test.each([
  ['memory', 'memory'],
  ['Filesystem', 'filesystem'],
  ['cachelib', 'filesystem'],
  ['sqlite', 'sqlite'],
])('SESSION_TYPE %j is a store named %s', (SESSION_TYPE, name) => {
  expect(storeOf({ SESSION_TYPE }).name).toBe(name);
});

test('files go where the settings say, with their permissions', async () => {
  const directory = join(FOLDER, 'files');
  const store = storeOf({ SESSION_TYPE: 'filesystem', SESSION_FILE_DIR: directory, SESSION_FILE_MODE: 0o640 });
  await store.write('session:one', record, later, undefined);
  const files = readdirSync(directory);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o640);
});

test.each([
  [{}, 64],
  [{ SESSION_FILE_HASH: 'sha256' }, 64],
  [{ SESSION_FILE_HASH: 'md5' }, 32],
] as const)('files are named as %j says', async (config, length) => {
  const SESSION_FILE_DIR = join(FOLDER, `names-${length}-${Object.keys(config).length}`);
  const store = storeOf({ SESSION_TYPE: 'filesystem', SESSION_FILE_DIR, ...config });
  await store.write('session:one', record, later, undefined);
  expect(readdirSync(SESSION_FILE_DIR).map((name) => name.length)).toEqual([length, length]);
});

test('a threshold bounds the number of files', async () => {
  const config = { SESSION_FILE_DIR: join(FOLDER, 'few'), SESSION_FILE_THRESHOLD: 2 };
  const store = storeOf({ SESSION_TYPE: 'cachelib', ...config });
  for (let i = 0; i < 5; i++) await store.write(`session:${i}`, record, later + i * 1000, undefined);
  const kept = await Promise.all(Array.from({ length: 5 }, (_, i) => store.read(`session:${i}`)));
  expect(kept.filter(Boolean).length).toBeLessThanOrEqual(3);
});

test('SESSION_CACHELIB is taken as the store of its type, which holds pickles', () => {
  const SESSION_CACHELIB = new MemoryStore();
  const { store, format } = flaskConfig({ SESSION_TYPE: 'cachelib', SESSION_CACHELIB });
  expect(store).toBe(SESSION_CACHELIB);
  expect(format).toBe('pickle');
  expect(flaskConfig({ SESSION_TYPE: 'memory', SESSION_CACHELIB }).store).not.toBe(SESSION_CACHELIB);
});

test('SQLite keeps its file where the settings say', async () => {
  const path = join(FOLDER, 'deep', 'sessions.db');
  const store = storeOf({ SESSION_TYPE: 'sqlite', SESSION_SQLITE_PATH: path });
  await store.write('session:one', record, later, undefined);
  await store.close?.();
  expect(existsSync(path)).toBe(true);
});

test.each<[FlaskConfig, string]>([
  [{ SESSION_TYPE: 'redis' }, 'redis'],
  [{ SESSION_TYPE: 'REDIS', SESSION_REDIS: 'redis://:secret@127.0.0.1:6390/2' }, 'redis'],
  [{ SESSION_TYPE: 'memcached' }, 'memcached'],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: ['127.0.0.1:11211', '127.0.0.1:11212'] }, 'memcached'],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: '127.0.0.1:11211, 127.0.0.1:11212' }, 'memcached'],
  [{ SESSION_TYPE: 'mongodb', SESSION_MONGODB_DB: 'sitzungen_ü', SESSION_MONGODB_COLLECT: 's' }, 'mongodb'],
  [{ SESSION_TYPE: 'sqlalchemy', SQLALCHEMY_DATABASE_URI: 'mysql+pymysql://u:p@127.0.0.1/db?charset=utf8' }, 'sql'],
  [{ SESSION_TYPE: 'sqlalchemy', SQLALCHEMY_BINDS: { s: 'sqlite://' }, SESSION_SQLALCHEMY_BIND_KEY: 's' }, 'sql'],
  [{ SESSION_TYPE: 'sqlalchemy', SESSION_SQLALCHEMY: 'sqlite://', SESSION_SQLALCHEMY_TABLE: 'mine' }, 'sql'],
  [{ SESSION_TYPE: 'postgresql' }, 'postgresql'],
  [{ SESSION_TYPE: 'dynamodb', SESSION_DYNAMODB: 'http://127.0.0.1:8000' }, 'dynamodb'],
])('%j is a store named %s, which connects to nothing yet', (config, name) => {
  expect(storeOf(config).name).toBe(name);
});

test.each<[Record<string, unknown>, string]>([
  [{ SESSION_TYPE: 'redis', SESSION_REDIS: 'http://:secret@x' }, 'SESSION_REDIS'],
  [{ SESSION_TYPE: 'redis', SESSION_REDIS: {} }, 'SESSION_REDIS'],
  [{ SESSION_TYPE: 'redis', SESSION_REDIS: 6379 }, 'SESSION_REDIS'],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: {} }, 'SESSION_MEMCACHED'],
  [{ SESSION_TYPE: 'mongodb', SESSION_MONGODB: 'redis://:secret@x' }, 'SESSION_MONGODB'],
  [{ SESSION_TYPE: 'sqlalchemy' }, 'SQLALCHEMY_DATABASE_URI'],
  [{ SESSION_TYPE: 'sqlalchemy', SQLALCHEMY_DATABASE_URI: 'oracle://u:secret@x/db' }, 'SQLALCHEMY_DATABASE_URI'],
  [{ SESSION_TYPE: 'sqlalchemy', SESSION_SQLALCHEMY_BIND_KEY: 'none' }, 'SESSION_SQLALCHEMY_BIND_KEY'],
  [
    { SESSION_TYPE: 'sqlalchemy', SQLALCHEMY_DATABASE_URI: 'sqlite://', SESSION_SQLALCHEMY_TABLE: 7 },
    'SESSION_SQLALCHEMY_TABLE',
  ],
  [{ SESSION_TYPE: 'dynamodb', SESSION_DYNAMODB_TABLE: '!' }, 'SESSION_DYNAMODB_TABLE'],
])('%j is refused by the name that the user wrote, without its secrets', (config, option) => {
  const make = () => flaskConfig(config);
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_SESSION_CONFIG', option }));
  expect(make).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret@') }));
});

test.each<[Record<string, unknown>, string, string]>([
  [
    { SESSION_TYPE: 'reddis' },
    'SESSION_TYPE',
    'got "reddis"; expected one of null, filesystem, cachelib, memory, sqlite, redis, memcached, mongodb, sqlalchemy, postgresql, dynamodb',
  ],
  [{ SESSION_TYPE: '' }, 'SESSION_TYPE', 'got ""'],
  [{ SESSION_TYPE: 'constructor' }, 'SESSION_TYPE', 'got "constructor"'],
  [{ SESSION_TYPE: new MemoryStore() }, 'SESSION_TYPE', 'got an object (MemoryStore)'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_DIR: '' }, 'SESSION_FILE_DIR', 'expected a path'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_THRESHOLD: -1 }, 'SESSION_FILE_THRESHOLD', 'of at least 0'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_HASH: 'sha1' }, 'SESSION_FILE_HASH', 'expected auto, sha256 or md5'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_MODE: '0600' }, 'SESSION_FILE_MODE', 'got "0600"'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_MODE: 600 }, 'SESSION_FILE_MODE', 'got 600; expected permissions'],
  [{ SESSION_TYPE: 'filesystem', SESSION_FILE_MODE: 0o400 }, 'SESSION_FILE_MODE', '384, which is 0o600'],
  [{ SESSION_TYPE: 'cachelib', SESSION_CACHELIB: {} }, 'SESSION_CACHELIB', 'a session store'],
  [{ SESSION_TYPE: 'sqlite', SESSION_SQLITE_PATH: 1 }, 'SESSION_SQLITE_PATH', 'got 1; expected a path'],
])('refused: %j', (config, option, message) => {
  expect(() => flaskConfig(config as FlaskConfig)).toThrow(expect.objectContaining({ option }));
  expect(() => flaskConfig(config as FlaskConfig)).toThrow(message);
});
