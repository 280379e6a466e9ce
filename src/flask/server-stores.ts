/** The stores of SESSION_TYPE that are servers: from a client, or from a URL. Nothing is connected before the first use. */
import type { SessionStore } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { DynamodbStore, type DynamodbStoreOptions } from '../stores/dynamodb.ts';
import { MemcachedStore, type MemcachedStoreOptions } from '../stores/memcached.ts';
import { MongodbStore, type MongodbStoreOptions } from '../stores/mongodb.ts';
import { RedisStore, type RedisStoreOptions } from '../stores/redis.ts';
import { PostgresqlStore, SqlStore, type SqlStoreOptions } from '../stores/sql.ts';
import type { FlaskName } from './config.ts';
import type { ConfigReader } from './reader.ts';

export const SERVER_STORES: Readonly<Record<string, (config: ConfigReader) => SessionStore>> = {
  redis: (config) =>
    made(config, { client: 'SESSION_REDIS', url: 'SESSION_REDIS' }, () => {
      return new RedisStore(given(config, 'SESSION_REDIS') as RedisStoreOptions);
    }),

  memcached: (config) =>
    made(config, { client: 'SESSION_MEMCACHED', url: 'SESSION_MEMCACHED', servers: 'SESSION_MEMCACHED' }, () => {
      return new MemcachedStore(memcached(config.get('SESSION_MEMCACHED') ?? undefined));
    }),

  mongodb: (config) =>
    made(
      config,
      {
        client: 'SESSION_MONGODB',
        url: 'SESSION_MONGODB',
        database: 'SESSION_MONGODB_DB',
        collection: 'SESSION_MONGODB_COLLECT',
      },
      () =>
        new MongodbStore({
          ...given(config, 'SESSION_MONGODB'),
          ...named(config, 'database', 'SESSION_MONGODB_DB'),
          ...named(config, 'collection', 'SESSION_MONGODB_COLLECT'),
        } as MongodbStoreOptions),
    ),

  sqlalchemy: (config) => {
    const source = sqlSource(config);
    return made(
      config,
      {
        client: source.name,
        url: source.name,
        table: 'SESSION_SQLALCHEMY_TABLE',
        schema: 'SESSION_SQLALCHEMY_SCHEMA',
        sequence: 'SESSION_SQLALCHEMY_SEQUENCE',
      },
      () =>
        new SqlStore({
          ...source.options,
          ...named(config, 'table', 'SESSION_SQLALCHEMY_TABLE'),
          ...named(config, 'schema', 'SESSION_SQLALCHEMY_SCHEMA'),
          ...named(config, 'sequence', 'SESSION_SQLALCHEMY_SEQUENCE'),
          cleanupEvery: cleanup(config),
        } as SqlStoreOptions),
    );
  },

  postgresql: (config) =>
    made(
      config,
      {
        client: 'SESSION_POSTGRESQL',
        url: 'SESSION_POSTGRESQL',
        table: 'SESSION_POSTGRESQL_TABLE',
        schema: 'SESSION_POSTGRESQL_SCHEMA',
      },
      () =>
        new PostgresqlStore({
          ...(config.get('SESSION_POSTGRESQL')
            ? given(config, 'SESSION_POSTGRESQL')
            : { url: 'postgresql://localhost' }),
          ...named(config, 'table', 'SESSION_POSTGRESQL_TABLE'),
          ...named(config, 'schema', 'SESSION_POSTGRESQL_SCHEMA'),
          cleanupEvery: cleanup(config),
        } as SqlStoreOptions),
    ),

  // Flask-Session makes the table when the application starts.
  dynamodb: (config) =>
    made(config, { client: 'SESSION_DYNAMODB', url: 'SESSION_DYNAMODB', table: 'SESSION_DYNAMODB_TABLE' }, () => {
      return new DynamodbStore({
        ...given(config, 'SESSION_DYNAMODB'),
        ...named(config, 'table', 'SESSION_DYNAMODB_TABLE'),
        createTable: true,
      } as DynamodbStoreOptions);
    }),
};

/** A store's complaint about one of its options, said of the setting that the user wrote. */
export function made(
  config: ConfigReader,
  names: Readonly<Record<string, FlaskName>>,
  make: () => SessionStore,
): SessionStore {
  try {
    return make();
  } catch (error) {
    const name = error instanceof SessionConfigError ? names[error.option] : undefined;
    if (!(error instanceof SessionConfigError) || name === undefined) throw error;
    return config.refuse(name, error.expected, error.given);
  }
}

/** A URL is text, a client is an object; nothing is the store's own default. */
function given(config: ConfigReader, name: FlaskName): { url?: string; client?: unknown } {
  const value = config.get(name) ?? undefined;
  if (value === undefined || value === '') return {};
  if (typeof value === 'string') return { url: value };
  return typeof value === 'object' || typeof value === 'function'
    ? { client: value }
    : config.refuse(name, 'a client, or a URL');
}

function memcached(value: unknown): MemcachedStoreOptions {
  if (typeof value === 'string' && /^memcacheds?:\/\//.test(value)) return { url: value };
  if (typeof value === 'string') return { servers: value.split(',').map((server) => server.trim()) };
  if (Array.isArray(value)) return { servers: value };
  return value === undefined ? {} : ({ client: value } as MemcachedStoreOptions);
}

function named(config: ConfigReader, option: string, name: FlaskName): Record<string, string> {
  const value = config.get(name);
  return value === undefined || value === null ? {} : { [option]: config.text(name, '', 'a name', /./) };
}

/** Flask-Session cleans before a request in n + 1; here it happens along with a write in so many. */
function cleanup(config: ConfigReader): number {
  return config.get('SESSION_CLEANUP_N_REQUESTS') === null
    ? 0
    : config.integer('SESSION_CLEANUP_N_REQUESTS', 0, Number.POSITIVE_INFINITY, 0);
}

/** What Flask-SQLAlchemy would connect to. */
function sqlSource(config: ConfigReader): { name: FlaskName; options: object } {
  const name = 'SESSION_SQLALCHEMY';
  const options = given(config, name);
  if (Object.keys(options).length > 0) return { name, options };
  const bind = config.get('SESSION_SQLALCHEMY_BIND_KEY') ?? undefined;
  if (bind !== undefined) {
    const binds = config.get('SQLALCHEMY_BINDS') ?? {};
    const url =
      typeof binds === 'object' && typeof bind === 'string' && Object.hasOwn(binds, bind)
        ? (binds as Record<string, unknown>)[bind]
        : undefined;
    if (typeof url !== 'string')
      return config.refuse('SESSION_SQLALCHEMY_BIND_KEY', 'the name of a URL in SQLALCHEMY_BINDS');
    return { name: 'SQLALCHEMY_BINDS', options: { url } };
  }
  const uri = config.get('SQLALCHEMY_DATABASE_URI') ?? undefined;
  if (typeof uri !== 'string' || uri === '') {
    return config.refuse(
      'SQLALCHEMY_DATABASE_URI',
      'a database URL, or a client as SESSION_SQLALCHEMY',
      uri === undefined ? 'nothing' : 'something else',
    );
  }
  return { name: 'SQLALCHEMY_DATABASE_URI', options: { url: uri } };
}
