/** A client of the store's own, for a URL. */
import { SessionConfigError } from '../../errors.ts';
import type { MongodbClient } from './collection.ts';

export interface OwnClient extends MongodbClient {
  close(): Promise<void>;
}

interface Driver {
  readonly MongoClient: new (url: string, options: object) => OwnClient;
}

/**
 * Milliseconds, unless the URL says otherwise. The driver's own are for ever, or nearly: what a request has given up long ago
 * would keep its connection, and its place in the queue, for as long as a server is silent.
 */
const TIMEOUTS = {
  serverSelectionTimeoutMS: 4000,
  connectTimeoutMS: 4000,
  socketTimeoutMS: 10_000,
  waitQueueTimeoutMS: 10_000,
};

/** Named at run time, so that bundlers do not ask for a driver that is not used. */
const importModule = (name: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);

/** @throws SessionConfigError; what it says never repeats the URL, which may hold a password */
export function checkUrl(url: unknown): asserts url is string {
  if (typeof url === 'string' && /^mongodb(?:\+srv)?:\/\/[^/?#]/.test(url)) return;
  throw new SessionConfigError('url', 'what is no address of a server', '`mongodb://host` or `mongodb+srv://host`');
}

/**
 * Opens no connection: the first command does.
 *
 * @throws SessionConfigError when the driver is not installed, or cannot make sense of the URL
 */
export async function openClient(url: string, load = importModule): Promise<OwnClient> {
  const { MongoClient } = await loadDriver(load);
  const given = new URLSearchParams(url.split('?')[1]?.toLowerCase());
  const timeouts = Object.entries(TIMEOUTS).filter(([name]) => !given.has(name.toLowerCase()));
  try {
    return new MongoClient(url, Object.fromEntries(timeouts));
  } catch (error) {
    const { message } = error as Error;
    const told = mayTell(message, url) ? ` (${message})` : '';
    throw new SessionConfigError('url', `what the driver refuses${told}`, 'a connection string of MongoDB');
  }
}

async function loadDriver(load: (name: string) => Promise<unknown>): Promise<Driver> {
  try {
    const module = (await load('mongodb')) as Partial<Driver> & { readonly default: Driver };
    // A CommonJS module: its names are there where the runtime, or the bundler, has found them.
    return { MongoClient: module.MongoClient ?? module.default.MongoClient };
  } catch (cause) {
    const { code } = (cause ?? {}) as { code?: unknown };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const expected = 'the driver (npm install mongodb), or a client of yours as `client`';
    throw new SessionConfigError('url', 'a URL, and the package mongodb cannot be found', expected, { cause });
  }
}

/** Not when it shows the URL, or what in it may be a password. */
function mayTell(message: string, url: string): boolean {
  const [, userinfo = ''] = /\/\/(.*)@/.exec(url) ?? [];
  return ![url, ...userinfo.split(':')].some((part) => part !== '' && message.includes(part));
}
