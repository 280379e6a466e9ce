/** The few members of node-redis and ioredis that are used, made one. */
import type { Script } from './scripts.ts';

/**
 * node-redis (`redis`) 5 or later: a client, a pool, a cluster or a sentinel. It has to be connected; the store does not
 * connect what it was given.
 */
export interface NodeRedisClient {
  withTypeMapping(...args: never[]): unknown;
  evalSha(...args: never[]): Promise<unknown>;
}

/**
 * ioredis 5 or later: `Redis` (through sentinels, too) or `Cluster`. What is called is `evalshaBuffer` and `evalBuffer`, which
 * its types leave out.
 */
export interface IoRedisClient {
  getBuffer(key: string): Promise<unknown>;
  evalsha(sha1: string, keys: number, ...args: string[]): Promise<unknown>;
}

export type RedisClient = NodeRedisClient | IoRedisClient;

/** Binary-safe, and the same on the wire whatever the client. */
export interface RedisCommands {
  /** Runs the script on the key. Bulk replies are `Buffer`s, and are given to `answer` with the rest of the reply. */
  run<T>(script: Script, key: string, args: (string | Buffer)[], answer: (reply: unknown) => T): Promise<T>;
  /** The number of keys deleted. */
  del(key: string): Promise<unknown>;
}

interface NodeRedis extends Pick<RedisCommands, 'del'> {
  withTypeMapping(mapping: { readonly [BULK]: BufferConstructor }): NodeRedis;
  evalSha(sha: string, options: EvalOptions): Promise<unknown>;
  eval(source: string, options: EvalOptions): Promise<unknown>;
}

interface EvalOptions {
  keys: string[];
  arguments: (string | Buffer)[];
}

interface IoRedis extends Pick<RedisCommands, 'del'> {
  evalshaBuffer(sha: string, keys: 1, key: string, ...args: (string | Buffer)[]): Promise<unknown>;
  evalBuffer(source: string, keys: 1, key: string, ...args: (string | Buffer)[]): Promise<unknown>;
}

/** The type byte `$` of the protocol (RESP): node-redis names types of replies by it. */
const BULK = 0x24;

/** Undefined for what is neither. */
export function commandsOf(client: unknown): RedisCommands | undefined {
  if (has(client, 'evalshaBuffer', 'evalBuffer', 'del')) return ofIoRedis(client as unknown as IoRedis);
  if (has(client, 'withTypeMapping', 'evalSha', 'eval', 'del')) return ofNodeRedis(client as unknown as NodeRedis);
  return undefined;
}

function ofNodeRedis(client: NodeRedis): RedisCommands {
  // A view of the same connection. Without it, replies are decoded as UTF-8, which binary records do not survive.
  const binary = client.withTypeMapping({ [BULK]: Buffer });
  return {
    run(script, key, args, answer) {
      const options = { keys: [key], arguments: args };
      return binary.evalSha(script.sha, options).then(answer, (error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return binary.eval(script.source, options).then(answer);
      });
    },
    del: (key) => client.del(key),
  };
}

function ofIoRedis(client: IoRedis): RedisCommands {
  return {
    run(script, key, args, answer) {
      return client.evalshaBuffer(script.sha, 1, key, ...args).then(answer, (error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return client.evalBuffer(script.source, 1, key, ...args).then(answer);
      });
    },
    del: (key) => client.del(key),
  };
}

/** The server was restarted, its scripts were flushed, or this node of the cluster never saw it. EVAL makes it known. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function has(value: unknown, ...methods: string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
}
