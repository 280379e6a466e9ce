/** Where a URL points, in SQLAlchemy's spelling, so that what a Flask application is configured with works here. */
import { SessionConfigError } from '../../errors.ts';
import type { SqlDialect } from './statement.ts';

export interface SqlAddress {
  readonly dialect: SqlDialect;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Empty: the driver's own default. */
  readonly host: string;
  readonly port: number | undefined;
  /** Of SQLite: a path, or `:memory:`. */
  readonly database: string;
  readonly query: URLSearchParams;
}

const DIALECTS: Readonly<Record<string, SqlDialect>> = {
  postgresql: 'postgresql',
  postgres: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlite: 'sqlite',
};

const EXPECTED =
  'postgresql://user:password@host:port/database, the same with mysql:// or mariadb://, or sqlite:///path; each also with a driver of SQLAlchemy, as in mysql+pymysql://';

/** `dialect[+driver]`, and what follows the two slashes. */
const WHOLE = /^([A-Za-z]+)(?:\+\w+)?:\/\/(.*)$/s;
/** A password may hold whatever is not an `@`, as in SQLAlchemy. */
const PARTS = /^(?:([^:/@]*)(?::([^@]*))?@)?(?:\[([^\]/?]+)\]|([^:/?]*))(?::([^/?]*))?(?:\/([^?]*))?(?:\?(.*))?$/s;

/** What a Python driver may be told, and has no meaning here. */
const IGNORED: Readonly<Record<SqlDialect, readonly string[]>> = {
  // `pg` passes over what it does not know.
  postgresql: [],
  mysql: ['charset', 'use_unicode', 'local_infile', 'connect_timeout', 'read_timeout', 'write_timeout', 'auth_plugin'],
  sqlite: ['timeout', 'check_same_thread', 'cached_statements', 'detect_types', 'isolation_level'],
};
const USED: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgresql: [],
  mysql: ['unix_socket', 'ssl_ca', 'ssl_cert', 'ssl_key'],
  sqlite: [],
};

/** @throws SessionConfigError, which does not repeat the URL: it may hold a password */
export function parseSqlUrl(text: string): SqlAddress {
  const [, name = '', rest = ''] = (typeof text === 'string' && WHOLE.exec(text)) || [];
  const dialect = DIALECTS[name.toLowerCase()];
  if (!dialect) throw refused(name ? `a URL that begins with ${name}` : 'a text that is no URL of a database');
  const parts = PARTS.exec(rest);
  if (!parts) throw refused('a URL that cannot be taken apart');
  const [, username, password, ipv6, name4 = '', port, database = '', search = ''] = parts;
  const query = new URLSearchParams(search);
  for (const each of query.keys()) {
    if (dialect === 'postgresql' || IGNORED[dialect].includes(each) || USED[dialect].includes(each)) continue;
    throw refused(`the parameter ${JSON.stringify(each)}, which only a client of your own can be given`);
  }
  const address = {
    dialect,
    username: decoded(username),
    password: decoded(password),
    host: ipv6 ?? name4,
    port: port ? portFrom(port) : undefined,
    query,
  };
  if (dialect !== 'sqlite') return { ...address, database: decoded(database) ?? '' };
  if (address.host || port !== undefined || username !== undefined) {
    throw refused('a SQLite URL with a host: three slashes lead to a relative path, four to an absolute one');
  }
  return { ...address, database: database || ':memory:' };
}

function portFrom(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port;
  throw refused('a port that is none');
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    throw refused('a URL with a malformed escape');
  }
}

function refused(given: string): SessionConfigError {
  return new SessionConfigError('url', given, EXPECTED);
}
