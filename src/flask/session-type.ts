/** SESSION_TYPE: the store that it names, made from the settings that belong to it. */
import type { RecordFormat } from '../core/options.ts';
import type { SessionStore } from '../core/store.ts';
import { FilesystemStore, type FilesystemStoreOptions } from '../stores/filesystem.ts';
import { MemoryStore } from '../stores/memory.ts';
import { SqliteStore } from '../stores/sqlite.ts';
import type { FlaskName } from './config.ts';
import type { ConfigReader } from './reader.ts';
import { made, SERVER_STORES } from './server-stores.ts';

/** Where sessions live, and what their records are written as. */
export interface Storage {
  readonly store: SessionStore | 'cookie';
  readonly format: RecordFormat;
}

const AVAILABLE: Readonly<Record<string, (config: ConfigReader) => Storage>> = {
  null: (config) => ({ store: 'cookie', format: formatFrom(config) }),
  filesystem: (config) => inPickles(files(config)),
  cachelib: (config) => inPickles(cachelib(config) ?? files(config)),
  memory: (config) => ({ store: new MemoryStore(), format: formatFrom(config) }),
  sqlite: (config) => ({ store: sqlite(config), format: formatFrom(config) }),
  ...Object.fromEntries(
    Object.entries(SERVER_STORES).map(([type, make]) => [
      type,
      (config: ConfigReader) => ({ store: make(config), format: formatFrom(config) }),
    ]),
  ),
};

/** @throws SessionConfigError */
export function storageFrom(config: ConfigReader): Storage {
  const given = config.get('SESSION_TYPE') ?? 'null';
  const there = `one of ${Object.keys(AVAILABLE).join(', ')}`;
  if (typeof given !== 'string') return config.refuse('SESSION_TYPE', there);
  const type = given.toLowerCase();
  if (Object.hasOwn(AVAILABLE, type)) return (AVAILABLE[type] as (config: ConfigReader) => Storage)(config);
  return config.refuse('SESSION_TYPE', there);
}

/** @throws SessionConfigError */
export function formatFrom(config: ConfigReader): RecordFormat {
  const expected = 'msgpack, json or pickle';
  return config.text('SESSION_SERIALIZATION_FORMAT', 'msgpack', expected, /^(msgpack|json|pickle)$/) as RecordFormat;
}

/** Flask-Session's backends on cachelib leave the format to cachelib, which pickles. */
function inPickles(store: SessionStore): Storage {
  return { store, format: 'pickle' };
}

function files(config: ConfigReader): SessionStore {
  const mode = config.integer('SESSION_FILE_MODE', 0, Infinity, 0o600);
  if (mode > 0o777 || (mode & 0o600) !== 0o600) {
    config.refuse('SESSION_FILE_MODE', `permissions, among them the owner's to read and write: 384, which is 0o600`);
  }
  const options: FilesystemStoreOptions = {
    directory: pathFrom(config, 'SESSION_FILE_DIR', './flask_session'),
    threshold: config.integer('SESSION_FILE_THRESHOLD', 0, Infinity, 500),
    mode,
    hash: config.text('SESSION_FILE_HASH', 'auto', 'auto, sha256 or md5', /^(auto|sha256|md5)$/) as
      | 'auto'
      | 'sha256'
      | 'md5',
  };
  return made(config, { hash: 'SESSION_FILE_HASH' }, () => new FilesystemStore(options));
}

function cachelib(config: ConfigReader): SessionStore | undefined {
  const store = config.get('SESSION_CACHELIB') ?? undefined;
  if (store === undefined || isStore(store)) return store;
  return config.refuse('SESSION_CACHELIB', 'a session store (read, write, touch, delete); null for files');
}

function isStore(value: unknown): value is SessionStore {
  const verbs = ['read', 'write', 'touch', 'delete'];
  return (
    typeof value === 'object' &&
    value !== null &&
    verbs.every((verb) => typeof (value as Record<string, unknown>)[verb] === 'function')
  );
}

function sqlite(config: ConfigReader): SessionStore {
  const path = pathFrom(config, 'SESSION_SQLITE_PATH', '.flacon/sessions.db');
  try {
    return new SqliteStore({ path });
  } catch {
    return config.refuse('SESSION_TYPE', 'filesystem, because this runtime has no node:sqlite (Node 22.13 has)');
  }
}

function pathFrom(config: ConfigReader, name: FlaskName, fallback: string): string {
  return config.get(name) === null ? fallback : config.text(name, fallback, 'a path', /./);
}
