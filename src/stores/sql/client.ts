/** Which of the accepted objects somebody has given, told by its shape. */
import { SessionConfigError } from '../../errors.ts';
import type { Executor } from './executor.ts';
import { type KnexClient, KnexExecutor } from './knex.ts';
import { type KyselyClient, KyselyExecutor } from './kysely.ts';
import { type MysqlCallbackClient, MysqlExecutor, type MysqlPromiseClient } from './mysql2-client.ts';
import { type PgClient, PgExecutor, type PgPool, SerialPgClient } from './pg-client.ts';
import { type PrismaClient, PrismaExecutor } from './prisma.ts';
import { type SqliteClient, SqliteExecutor } from './sqlite-client.ts';
import type { SqlDialect } from './statement.ts';

/** A Drizzle object, by the driver's client in it. */
export interface DrizzleClient {
  readonly $client: unknown;
}

export type SqlClient =
  | PgPool
  | PgClient
  | MysqlPromiseClient
  | MysqlCallbackClient
  | SqliteClient
  | KyselyClient
  | KnexClient
  | DrizzleClient
  | PrismaClient;

export interface ExecutorOptions {
  readonly prepare: boolean;
  readonly dialect: SqlDialect | undefined;
}

const EXPECTED =
  'a pool or client of pg, a pool or connection of mysql2, a database of node:sqlite or better-sqlite3, or an object of Kysely, Knex, Drizzle (over one of these drivers) or Prisma';

/** @throws SessionConfigError */
export function executorOf(client: unknown, { prepare, dialect }: ExecutorOptions): Executor {
  const shape = new Shape(client);
  if (shape.has('$client')) return executorOf((client as DrizzleClient).$client, { prepare, dialect });
  if (shape.can('$queryRawUnsafe', '$executeRawUnsafe')) return new PrismaExecutor(client as PrismaClient, dialect);
  if (shape.can('getExecutor', 'executeQuery')) return new KyselyExecutor(client as KyselyClient, dialect);
  if (shape.can('raw') && shape.has('client')) return new KnexExecutor(client as KnexClient, prepare);
  if (shape.can('query', 'execute')) {
    const { promise } = client as Partial<MysqlCallbackClient>;
    const promising = typeof promise === 'function' ? promise.call(client) : (client as MysqlPromiseClient);
    return new MysqlExecutor(promising, prepare);
  }
  if (shape.can('query') && shape.has('totalCount')) return new PgExecutor(client as PgPool, prepare);
  if (shape.can('query', 'escapeLiteral')) {
    return new PgExecutor(new SerialPgClient(client as PgClient), prepare);
  }
  if (shape.can('prepare', 'exec')) return new SqliteExecutor(client as SqliteClient, prepare);
  throw new SessionConfigError('client', `${shape.name}, which is none that is known`, EXPECTED);
}

/** How many stores listen to a client. */
const listeners = new WeakMap<object, number>();
const ignore = (): void => {};

/**
 * A failing connection fails the verbs that need it. It is no reason for the process to end, which is what an `error` event
 * does that nobody listens to. @returns what undoes it
 */
export function survive(client: unknown): () => void {
  const { $client, on, off } = client as Partial<DrizzleClient & Emitter>;
  if ($client) return survive($client);
  // Knex has its own events, and its connections are looked after by its pool.
  if (typeof client !== 'object' || client === null || !on || !off) return ignore;
  const count = listeners.get(client) ?? 0;
  listeners.set(client, count + 1);
  if (count === 0) on.call(client, 'error', ignore);
  let isHeard = true;
  return () => {
    if (!isHeard) return;
    isHeard = false;
    const left = (listeners.get(client) ?? 1) - 1;
    listeners.set(client, left);
    if (left === 0) off.call(client, 'error', ignore);
  };
}

interface Emitter {
  on(event: 'error', listener: () => void): unknown;
  off(event: 'error', listener: () => void): unknown;
}

class Shape {
  readonly #client: Record<string, unknown>;
  readonly name: string;

  constructor(client: unknown) {
    const isObject = (typeof client === 'object' && client !== null) || typeof client === 'function';
    this.#client = (isObject ? client : {}) as Record<string, unknown>;
    this.name = isObject ? 'an object' : `${client === null ? 'null' : typeof client}`;
  }

  has(name: string): boolean {
    return this.#client[name] !== undefined && this.#client[name] !== null;
  }

  can(...names: string[]): boolean {
    return names.every((name) => typeof this.#client[name] === 'function');
  }
}
