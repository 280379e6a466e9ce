/** The settings of a Flask application that decide about its sessions, by Flask's and Flask-Session's own names. */

import type { Lifetime } from '../core/lifetime.ts';
import type { SessionStore } from '../core/store.ts';
import type { DynamodbClient } from '../stores/dynamodb.ts';
import type { FilesystemStoreOptions } from '../stores/filesystem.ts';
import type { MemcachedStoreOptions as MemcachedOptions } from '../stores/memcached.ts';
import type { MongodbClient } from '../stores/mongodb.ts';
import type { RedisClient } from '../stores/redis.ts';
import type { SqlClient } from '../stores/sql.ts';

/** Where Flask-Session keeps records. `memory` and `sqlite` are this package's own; `null`: in the signed cookie. */
export type SessionType =
  | 'null'
  | 'filesystem'
  | 'cachelib'
  | 'memory'
  | 'sqlite'
  | 'redis'
  | 'memcached'
  | 'mongodb'
  | 'sqlalchemy'
  | 'postgresql'
  | 'dynamodb';

/** Other settings of an application may stand beside these, as in `app.config`; an unknown `SESSION_…` is refused. */
export interface FlaskConfig {
  /** Signs cookies. Empty or null: none; the session is then empty and read-only. Default null (Flask `SECRET_KEY`). */
  readonly SECRET_KEY?: string | Uint8Array | null;
  /** Former keys, oldest first: they verify, and never sign. A list, not text (Flask `SECRET_KEY_FALLBACKS`). */
  readonly SECRET_KEY_FALLBACKS?: readonly (string | Uint8Array)[] | null;
  /** The cookie's path when `SESSION_COOKIE_PATH` is empty. Default `/` (Flask `APPLICATION_ROOT`). */
  readonly APPLICATION_ROOT?: string;
  /** Seconds, or parts as of Python's `timedelta`. Default 31 days (Flask `PERMANENT_SESSION_LIFETIME`). */
  readonly PERMANENT_SESSION_LIFETIME?: Lifetime;

  /** Default `session`. */
  readonly SESSION_COOKIE_NAME?: string;
  /** A port and leading dots are cut off. Null and false: no attribute. `''`: an empty one. Default null. */
  readonly SESSION_COOKIE_DOMAIN?: string | false | null;
  /** Empty or null: `APPLICATION_ROOT`. Default null. */
  readonly SESSION_COOKIE_PATH?: string | null;
  /** Default true. */
  readonly SESSION_COOKIE_HTTPONLY?: boolean | null;
  /** Default false. */
  readonly SESSION_COOKIE_SECURE?: boolean | null;
  /** `Strict`, `Lax` or `None` in any case; null: no attribute. Default null. */
  readonly SESSION_COOKIE_SAMESITE?: string | null;
  /** Forces Secure. Default false. */
  readonly SESSION_COOKIE_PARTITIONED?: boolean | null;
  /**
   * Whether every request moves the end of a session: its record's deadline, and when it is permanent its cookie's.
   * Default true.
   */
  readonly SESSION_REFRESH_EACH_REQUEST?: boolean | null;

  /** In any case. Default null: the signed cookie, as in Flask without Flask-Session. */
  readonly SESSION_TYPE?: SessionType | Uppercase<SessionType> | (string & {}) | null;
  /** Whether a new server-side session outlives the browser's. Default true. Cookie sessions begin without it. */
  readonly SESSION_PERMANENT?: boolean | null;
  /** Signs the id in the cookie; needs `SECRET_KEY`. Default false (deprecated in Flask-Session). */
  readonly SESSION_USE_SIGNER?: boolean | null;
  /** What stands before the id in a store's keys: at most 40 visible ASCII characters. Default `session:`. */
  readonly SESSION_KEY_PREFIX?: string;
  /** Bytes of randomness in an id, 16 to 128. Default 32. */
  readonly SESSION_ID_LENGTH?: number;
  /**
   * What records are written as; all formats are read. Default `msgpack`. `pickle` is what Flask-Session wrote up to 0.6.
   * Without effect for `filesystem` and `cachelib`, which always hold pickles.
   */
  readonly SESSION_SERIALIZATION_FORMAT?: 'msgpack' | 'json' | 'pickle';
  /** For `sqlalchemy` and `postgresql`. Default null. */
  readonly SESSION_CLEANUP_N_REQUESTS?: number | null;

  /** For `filesystem` and `cachelib`: the folder, made when it is missing. Default `./flask_session`. */
  readonly SESSION_FILE_DIR?: string | null;
  /** Files over which the oldest are deleted; 0: no limit. Default 500. */
  readonly SESSION_FILE_THRESHOLD?: number;
  /** The files' permissions, a number. Default 0o600. */
  readonly SESSION_FILE_MODE?: number;
  /**
   * What the files are named by: `md5` as cachelib before 0.16 does, `sha256`, or `auto`: as the folder's are, SHA-256
   * where there are none. Default `auto`. This package's own; a Flask application's is its release of cachelib.
   */
  readonly SESSION_FILE_HASH?: FilesystemStoreOptions['hash'];
  /** For `cachelib`: a store of this package's kind in place of the files. Default null. */
  readonly SESSION_CACHELIB?: SessionStore | null;
  /** For `sqlite`: the database file, made when it is missing. Default `.flacon/sessions.db`. This package's own. */
  readonly SESSION_SQLITE_PATH?: string | null;

  /** A client of node-redis or ioredis, or a URL. Default `redis://localhost:6379`. */
  readonly SESSION_REDIS?: RedisClient | string | null;
  /** Servers (`host:port`, a list of them, or a URL), or a client of `memjs` or `memcached`. Default `localhost:11211`. */
  readonly SESSION_MEMCACHED?: MemcachedOptions['client'] | string | readonly string[] | null;
  /** A `MongoClient`, or a URL. Default `mongodb://localhost:27017`. */
  readonly SESSION_MONGODB?: MongodbClient | string | null;
  /** Default `flask_session`. */
  readonly SESSION_MONGODB_DB?: string;
  /** Default `sessions`. */
  readonly SESSION_MONGODB_COLLECT?: string;
  /** What `SqlStore` takes as a client, or a URL. Default: `SQLALCHEMY_DATABASE_URI`. */
  readonly SESSION_SQLALCHEMY?: SqlClient | string | null;
  /** Default `sessions`. */
  readonly SESSION_SQLALCHEMY_TABLE?: string;
  /** Default null: the connection's own. */
  readonly SESSION_SQLALCHEMY_SCHEMA?: string | null;
  /** PostgreSQL: the sequence of the column `id`. Default null: the column's own. */
  readonly SESSION_SQLALCHEMY_SEQUENCE?: string | null;
  /** Which of `SQLALCHEMY_BINDS`, in place of `SQLALCHEMY_DATABASE_URI`. Default null. */
  readonly SESSION_SQLALCHEMY_BIND_KEY?: string | null;
  /** For `sqlalchemy`: a URL, also in the spelling `dialect+driver://…` (Flask-SQLAlchemy). */
  readonly SQLALCHEMY_DATABASE_URI?: string | null;
  /** URLs by name (Flask-SQLAlchemy). */
  readonly SQLALCHEMY_BINDS?: Readonly<Record<string, string>> | null;
  /** A `DynamoDBClient`, or a URL. Default `http://localhost:8000`. */
  readonly SESSION_DYNAMODB?: DynamodbClient | string | null;
  /** Made when it is missing. Default `Sessions`. */
  readonly SESSION_DYNAMODB_TABLE?: string;
  /** A pool or client of `pg`, or a URL (Flask-Session's development branch). Default `postgresql://localhost`. */
  readonly SESSION_POSTGRESQL?: SqlClient | string | null;
  /** Default `flask_sessions`. */
  readonly SESSION_POSTGRESQL_TABLE?: string;
  /** Default `public`. */
  readonly SESSION_POSTGRESQL_SCHEMA?: string;
}

export type FlaskName = keyof FlaskConfig;

/** How the text of an environment variable is to be taken: as text even where it reads like JSON, or as JSON. */
type Kind = 'text' | 'boolean' | 'json';

export const KINDS: Readonly<Record<FlaskName, Kind>> = {
  SECRET_KEY: 'text',
  SECRET_KEY_FALLBACKS: 'json',
  APPLICATION_ROOT: 'text',
  PERMANENT_SESSION_LIFETIME: 'json',
  SESSION_COOKIE_NAME: 'text',
  SESSION_COOKIE_DOMAIN: 'json',
  SESSION_COOKIE_PATH: 'text',
  SESSION_COOKIE_HTTPONLY: 'boolean',
  SESSION_COOKIE_SECURE: 'boolean',
  SESSION_COOKIE_SAMESITE: 'text',
  SESSION_COOKIE_PARTITIONED: 'boolean',
  SESSION_REFRESH_EACH_REQUEST: 'boolean',
  SESSION_TYPE: 'text',
  SESSION_PERMANENT: 'boolean',
  SESSION_USE_SIGNER: 'boolean',
  SESSION_KEY_PREFIX: 'text',
  SESSION_ID_LENGTH: 'json',
  SESSION_SERIALIZATION_FORMAT: 'text',
  SESSION_CLEANUP_N_REQUESTS: 'json',
  SESSION_FILE_DIR: 'text',
  SESSION_FILE_THRESHOLD: 'json',
  SESSION_FILE_MODE: 'json',
  SESSION_FILE_HASH: 'text',
  SESSION_CACHELIB: 'json',
  SESSION_SQLITE_PATH: 'text',
  SESSION_REDIS: 'text',
  SESSION_MEMCACHED: 'json',
  SESSION_MONGODB: 'text',
  SESSION_MONGODB_DB: 'text',
  SESSION_MONGODB_COLLECT: 'text',
  SESSION_SQLALCHEMY: 'text',
  SESSION_SQLALCHEMY_TABLE: 'text',
  SESSION_SQLALCHEMY_SCHEMA: 'text',
  SESSION_SQLALCHEMY_SEQUENCE: 'text',
  SESSION_SQLALCHEMY_BIND_KEY: 'text',
  SQLALCHEMY_DATABASE_URI: 'text',
  SQLALCHEMY_BINDS: 'json',
  SESSION_DYNAMODB: 'text',
  SESSION_DYNAMODB_TABLE: 'text',
  SESSION_POSTGRESQL: 'text',
  SESSION_POSTGRESQL_TABLE: 'text',
  SESSION_POSTGRESQL_SCHEMA: 'text',
};

export function isFlaskName(name: string): name is FlaskName {
  return Object.hasOwn(KINDS, name);
}
