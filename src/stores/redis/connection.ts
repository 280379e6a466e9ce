/**
 * A connection of the store's own, made from a URL at the first use.
 *
 * While it is being made, or made anew after it broke, callers wait for that one attempt. After an attempt that failed they
 * are told so at once, while the driver keeps trying in the background: nothing queues up, nothing is sent that somebody
 * has given up long ago, and whoever comes after the server's return is served.
 */
import { SessionStoreError } from '../../errors.ts';
import { commandsOf, type RedisCommands } from './client.ts';
import type { OwnClient } from './driver.ts';
import type { RedisAddress } from './url.ts';

interface Waiting {
  resolve(commands: RedisCommands): void;
  reject(error: unknown): void;
}

export class RedisConnection {
  readonly #address: RedisAddress;
  readonly #make: () => Promise<OwnClient>;
  #begun: Promise<OwnClient> | undefined;
  #closed = false;
  /** Set while the connection is there. */
  #commands: RedisCommands | undefined;
  /** Set while the last attempt to connect is one that failed. */
  #failure: Error | undefined;
  #waiting: Waiting[] = [];

  /** @param make opens the client, when it is first asked for; called again when it failed */
  constructor(address: RedisAddress, make: () => Promise<OwnClient>) {
    this.#address = address;
    this.#make = make;
  }

  /** Undefined while there is no connection. */
  get commands(): RedisCommands | undefined {
    return this.#commands;
  }

  /** @throws SessionStoreError @throws SessionConfigError where no driver is installed */
  async open(operation: string): Promise<RedisCommands> {
    if (this.#closed) throw new SessionStoreError('redis', operation, 'session store redis: it is closed');
    this.#begun ??= this.#begin();
    try {
      await this.#begun;
    } catch (error) {
      // Nothing is trying in the background here: the next caller does.
      this.#begun = undefined;
      throw error;
    }
    try {
      if (this.#failure) throw this.#failure;
      return this.#commands ?? (await new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject })));
    } catch (cause) {
      throw new SessionStoreError('redis', operation, describe(this.#address, cause), { cause });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const own = await this.#begun?.catch(() => undefined);
    own?.close();
    this.#fail(new Error('the store was closed'));
  }

  async #begin(): Promise<OwnClient> {
    const own = await this.#make();
    const commands = commandsOf(own.client);
    let last: unknown;
    const lost = (): void => {
      if (own.isReady()) return;
      // The first thing after a loss is an attempt to connect again: worth waiting for.
      if (this.#commands) this.#commands = undefined;
      else this.#fail(last instanceof Error ? last : new Error('the connection was closed'));
    };
    own.client.on('ready', () => {
      if (this.#closed) return;
      this.#failure = undefined;
      this.#commands = commands;
      for (const waiting of this.#settled()) waiting.resolve(commands!);
    });
    own.client.on('error', (error) => {
      last = error;
      lost();
    });
    // ioredis can lose its connection without an error.
    own.client.on('close', lost);
    own.connect();
    return own;
  }

  #fail(error: Error): void {
    this.#commands = undefined;
    this.#failure = error;
    for (const waiting of this.#settled()) waiting.reject(error);
  }

  #settled(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}

/** The address without its credentials, and what to look at. */
function describe({ host, port, path }: RedisAddress, cause: unknown): string {
  const where = path ?? `${host}:${port}`;
  const { message = '', code } = (cause ?? {}) as { message?: string; code?: string };
  const told = `session store redis: no connection to ${where}`;
  if (/^(?:WRONGPASS|NOAUTH|ERR AUTH|NOPERM)/.test(message) || message.includes('NOAUTH')) {
    return `${told}: it refused the user or the password of the URL`;
  }
  return `${told}${code ? ` (${code})` : ''}: is a server running there, and is this its address?`;
}
