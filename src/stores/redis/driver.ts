/** A client of whichever driver is installed, for an address. */
import { SessionConfigError } from '../../errors.ts';
import type { RedisAddress } from './url.ts';

/** A client that was made here, and is not connected yet. It keeps trying to connect for as long as it is open. */
export interface OwnClient {
  /** Emits `ready`, `error` and, with ioredis, `close`. */
  readonly client: { on(event: string, listener: (...args: unknown[]) => void): unknown };
  isReady(): boolean;
  /** Begins to connect. How that goes is told by the events. */
  connect(): void;
  /** At once, whatever is under way. */
  close(): void;
}

type Emitter = OwnClient['client'];

/** What is used of the modules of the drivers. */
interface NodeRedisModule {
  createClient(options: object): Emitter & { readonly isReady: boolean; connect(): Promise<unknown>; destroy(): void };
}
interface IoRedisModule {
  Redis: new (
    options: object,
  ) => Emitter & { readonly status: string; connect(): Promise<unknown>; disconnect(): void };
}

/** Milliseconds. */
const CONNECT_TIMEOUT = 3000;
/** The longest pause between two attempts. */
const RETRY_PAUSE = 500;
/** A peer that vanished without a word is noticed when it is silent for so long; pings keep a live one talking. */
const SILENCE = 10_000;

/** Named at run time, so that bundlers do not ask for a driver that is not used. */
const importModule = (name: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);

const DRIVERS = { redis: withNodeRedis, ioredis: withIoRedis } as const;

export type RedisDriver = keyof typeof DRIVERS;

export function isDriver(name: string): name is RedisDriver {
  return Object.hasOwn(DRIVERS, name);
}

/**
 * @param driver undefined: node-redis if it is installed, else ioredis
 * @throws SessionConfigError when it is not installed
 */
export async function openClient(address: RedisAddress, driver?: RedisDriver, load = importModule): Promise<OwnClient> {
  const names = driver ? [driver] : (Object.keys(DRIVERS) as RedisDriver[]);
  for (const name of names) {
    let module: unknown;
    try {
      module = await load(name);
    } catch (error) {
      if (isMissing(error)) continue;
      throw error;
    }
    return DRIVERS[name](module, address);
  }
  const given = `a URL, and ${names.join(' and ')} cannot be found`;
  throw new SessionConfigError(
    'url',
    given,
    `an installed driver (npm install ${names[0]}), or a client as \`client\``,
  );
}

function withNodeRedis(module: unknown, { username, password, database, tls, ...target }: RedisAddress): OwnClient {
  const { createClient } = module as NodeRedisModule;
  const client = createClient({
    username,
    password,
    database,
    socket: {
      ...target,
      ...(tls && { tls: true, ...tls }),
      connectTimeout: CONNECT_TIMEOUT,
      socketTimeout: SILENCE,
      reconnectStrategy: pause,
    },
    pingInterval: SILENCE / 2,
    // What waits, waits in the store, where it ends with the attempt to connect.
    disableOfflineQueue: true,
  });
  return {
    client,
    isReady: () => client.isReady,
    connect: () => void client.connect().catch(() => {}),
    close: () => client.destroy(),
  };
}

function withIoRedis(module: unknown, { database, tls, ...address }: RedisAddress): OwnClient {
  const { Redis } = module as IoRedisModule;
  const client = new Redis({
    ...address,
    db: database,
    ...(tls && { tls }),
    connectTimeout: CONNECT_TIMEOUT,
    socketTimeout: SILENCE,
    retryStrategy: (attempt: number) => pause(attempt - 1),
    lazyConnect: true,
    enableOfflineQueue: false,
    // A write that was under way when the connection broke may have been done: sending it again could do it twice.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  return {
    client,
    isReady: () => client.status === 'ready',
    connect: () => void client.connect().catch(() => {}),
    close: () => client.disconnect(),
  };
}

/** Milliseconds before the next attempt, with jitter, so that many processes do not come back in step. */
function pause(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), RETRY_PAUSE) * (0.5 + Math.random() / 2);
}

function isMissing(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
