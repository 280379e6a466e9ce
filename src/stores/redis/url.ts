/** Where a URL points, in the spellings of redis-py, so that what a Flask application is configured with works here. */
import { SessionConfigError } from '../../errors.ts';

export interface RedisAddress {
  /** A TCP address, or the path of a socket. */
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Undefined: no TLS. */
  readonly tls: { readonly rejectUnauthorized: boolean } | undefined;
}

const EXPECTED =
  'redis://[[user]:password@]host[:port][/database], rediss:// (TLS), or unix://[[user]:password@]/path?db=database';

/**
 * `redis://`, `rediss://` and `unix://`, with `?db=`, `?username=`, `?password=` and, for TLS, `?ssl_cert_reqs=none` as
 * redis-py has them. @throws SessionConfigError, which does not repeat the URL: it may hold a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  let url: URL;
  try {
    // The host may be left out, which URLs with a user do not allow.
    url = new URL(text.replace(/^([a-z]+:\/\/(?:[^/?#@]*@)?)(?=[/?#]|$)/, '$1localhost'));
  } catch {
    throw refused('a text that is no URL');
  }
  const { protocol, searchParams: query } = url;
  if (!['redis:', 'rediss:', 'unix:'].includes(protocol)) throw refused(`a URL of the scheme ${protocol}//`);
  for (const name of query.keys()) {
    if (!['db', 'username', 'password', 'ssl_cert_reqs'].includes(name)) {
      throw refused(`the parameter ${JSON.stringify(name)}, which only a client of your own can be given`);
    }
  }
  const shared = {
    username: decoded(url.username) || query.get('username') || undefined,
    password: decoded(url.password) || query.get('password') || undefined,
  };
  if (protocol === 'unix:') {
    const path = decoded(url.pathname);
    if (path.length < 2 || url.hostname !== 'localhost') throw refused('a unix:// URL without an absolute path');
    return { ...shared, path, database: database(query.get('db') ?? ''), tls: undefined };
  }
  const verify = query.get('ssl_cert_reqs') ?? 'required';
  if (!['required', 'optional', 'none'].includes(verify)) throw refused('an unknown ssl_cert_reqs');
  return {
    ...shared,
    // Brackets belong to the URL, not to the address.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port ? Number(url.port) : 6379,
    database: database(query.get('db') ?? decoded(url.pathname.slice(1))),
    tls: protocol === 'rediss:' ? { rejectUnauthorized: verify !== 'none' } : undefined,
  };
}

function database(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) throw refused('a database that is no number');
  return Number(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('a URL with a malformed escape');
  }
}

function refused(given: string): SessionConfigError {
  return new SessionConfigError('url', given, EXPECTED);
}
