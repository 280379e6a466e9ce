/** Which servers, as they are written in URLs and options. */
import { SessionConfigError } from '../../errors.ts';

export interface ServerAddress {
  /** As it was written, `host:port` or a path: what the keys are distributed over, and what errors call it. */
  readonly name: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** As Node's `tls.connect` takes them; certificates and keys in PEM. */
export interface TlsOptions {
  readonly ca?: string | string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

const DEFAULT_PORT = 11211;
const EXPECTED = '`host`, `host:port`, `[IPv6 address]:port`, or the absolute path of a socket';

/** @throws SessionConfigError */
export function parseServer(text: string, option = 'servers'): ServerAddress {
  if (/^\/[^\0\r\n]+$/.test(text)) return { name: text, path: text };
  const found = /^(?:\[([\da-fA-F:.]+)\]|([^\s:/@[\]\\?#,]+))(?::(\d{1,5}))?$/.exec(text);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3] ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65_535) throw new SessionConfigError(option, 'no address', EXPECTED);
  return { name: `${host}:${port}`, host, port };
}

export interface ParsedUrl {
  readonly servers: readonly ServerAddress[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly distribution: string | undefined;
}

const URL_FORM =
  'memcached://[user:password@]host[:port][,host[:port]…][?distribution=…], memcacheds://… (TLS), or memcached:///path/of/socket';

/** @throws SessionConfigError, which does not repeat the URL: it may hold a password */
export function parseUrl(text: string): ParsedUrl {
  const refuse = (given: string): SessionConfigError => new SessionConfigError('url', given, URL_FORM);
  const found = /^(memcacheds?):\/\/(?:([^:@/?#]*):([^@/?#]*)@)?([^@?#]+)(?:\?([^#]*))?$/i.exec(text);
  if (!found) throw refuse('a text of another form');
  const [, scheme, username, password, places, queryText] = found as unknown as (string | undefined)[];
  const query = new URLSearchParams(queryText ?? '');
  for (const name of query.keys()) {
    if (name !== 'distribution') throw refuse(`the parameter ${JSON.stringify(name)}`);
  }
  const decoded = (part: string | undefined): string | undefined => {
    try {
      return part === undefined ? undefined : decodeURIComponent(part);
    } catch {
      throw refuse('a malformed escape');
    }
  };
  const hosts = places!.startsWith('/') ? [decoded(places)!] : places!.replace(/\/$/, '').split(',');
  return {
    servers: hosts.map((host) => parseServer(host, 'url')),
    tls: scheme!.toLowerCase() === 'memcacheds',
    username: decoded(username),
    password: decoded(password),
    distribution: query.get('distribution') ?? undefined,
  };
}
