/** From what a user gives, a client that the store can use. */
import { SessionConfigError } from '../../errors.ts';
import { MetaClient } from './client.ts';
import { DISTRIBUTIONS, type Distribution } from './distribution.ts';
import type { Items } from './items.ts';
import { type MemjsClient, MemjsItems } from './memjs.ts';
import { type NpmMemcachedClient, NpmMemcachedItems } from './npm-memcached.ts';
import { type Credentials, parseServer, parseUrl, type ServerAddress, type TlsOptions } from './servers.ts';

export interface MemcachedOptions {
  /**
   * A client of yours, of the package `memjs` (1) or `memcached` (2), each with limits that `servers` does not have: see
   * docs/stores/memcached.md. It stays yours: the store does not close it.
   */
  client?: MemjsClient | NpmMemcachedClient;
  /** `host`, `host:port`, `[IPv6]:port` or the path of a socket; one or several. Default `localhost:11211`. */
  servers?: string | readonly string[];
  /** The same as one text: `memcached://[user:password@]host[:port][,host[:port]…]`, `memcacheds://…` for TLS. */
  url?: string;
  /**
   * How keys are distributed over several servers: as the client of a Flask application that shares them. Both need the same
   * list, in the same order and spelling. Default `pymemcache`.
   */
  distribution?: Distribution;
  /** For servers with the text protocol's authentication (`memcached -Y`). There is no SASL here: `memjs` has it. */
  username?: string;
  password?: string;
  /** For servers with TLS (`memcached -Z`); true: with the system's authorities. */
  tls?: boolean | TlsOptions;
  /** Milliseconds until a command, or connecting, has failed. Default 5000. */
  timeout?: number;
  /**
   * Bytes of the largest item that the servers take (`memcached -I`), for a `client`, which cannot ask them. Default 1 MiB.
   * A larger record is refused before it is sent: a server would delete the one that is there.
   */
  maxItemSize?: number;
}

export interface ChosenItems {
  readonly items: Items;
  /** The client that was given. */
  readonly client: object | undefined;
  readonly binary: boolean;
}

const FOREIGN: readonly (keyof MemcachedOptions)[] = [
  'servers',
  'url',
  'distribution',
  'username',
  'password',
  'tls',
  'timeout',
];

/** @throws SessionConfigError */
export function itemsFrom(options: MemcachedOptions): ChosenItems {
  const { client } = options;
  const itemLimit = positive('maxItemSize', options.maxItemSize ?? 1024 * 1024);
  if (client === undefined) return { items: metaClient(options), client, binary: true };
  for (const name of FOREIGN) {
    if (options[name] !== undefined) {
      throw new SessionConfigError(name, 'a value besides a client', 'the client to be made with it');
    }
  }
  if (has<NpmMemcachedClient>(client, ['gets', 'add', 'cas', 'del', 'touch'])) {
    return { items: new NpmMemcachedItems(client, itemLimit), client, binary: false };
  }
  if (has<MemjsClient>(client, ['get', 'add', 'replace', 'delete', 'touch'])) {
    return { items: new MemjsItems(client, itemLimit), client, binary: true };
  }
  const expected = 'a client of memjs 1 or of memcached 2, or `servers` in its place, which needs neither';
  throw new SessionConfigError('client', 'an object that is none', expected);
}

function metaClient(options: MemcachedOptions): MetaClient {
  if (options.url !== undefined && options.servers !== undefined) {
    throw new SessionConfigError('url', 'a URL besides servers', 'one of the two');
  }
  if (options.maxItemSize !== undefined) {
    throw new SessionConfigError('maxItemSize', 'a value without a client', 'none: the servers are asked');
  }
  const url = options.url === undefined ? undefined : parseUrl(options.url);
  const servers = url?.servers ?? serversFrom(options.servers ?? 'localhost');
  const distribution = options.distribution ?? url?.distribution ?? 'pymemcache';
  if (!(DISTRIBUTIONS as readonly string[]).includes(distribution)) {
    throw new SessionConfigError('distribution', JSON.stringify(distribution), `one of ${DISTRIBUTIONS.join(', ')}`);
  }
  return new MetaClient(servers, distribution as Distribution, {
    timeout: positive('timeout', options.timeout ?? 5000),
    tls: options.tls === true || (options.tls === undefined && url?.tls) ? {} : options.tls || undefined,
    credentials: credentialsFrom(options.username ?? url?.username, options.password ?? url?.password),
  });
}

function serversFrom(given: string | readonly string[]): readonly ServerAddress[] {
  const list = typeof given === 'string' ? [given] : given;
  const servers = list.map((text) => parseServer(text));
  if (servers.length === 0) throw new SessionConfigError('servers', 'an empty list', 'at least one');
  if (new Set(servers.map(({ name }) => name)).size < servers.length) {
    throw new SessionConfigError('servers', 'the same one twice', 'each once');
  }
  return servers;
}

function credentialsFrom(username: string | undefined, password: string | undefined): Credentials | undefined {
  if (username === undefined && password === undefined) return undefined;
  // The server splits the two at the first space, and its file has one pair a line, with a colon between.
  if (!username || /[\s:]/.test(username)) {
    throw new SessionConfigError('username', 'none that a server can have', 'text without space and colon');
  }
  if (!password || /[\r\n\0]/.test(password)) {
    throw new SessionConfigError('password', 'none that a server can have', 'text without line ends');
  }
  return { username, password };
}

function has<T extends object>(client: object, members: readonly (keyof T & string)[]): client is T {
  return members.every((member) => typeof (client as Record<string, unknown>)[member] === 'function');
}

function positive(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new SessionConfigError(option, String(value), 'a whole number above 0');
}
