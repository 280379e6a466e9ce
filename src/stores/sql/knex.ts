/** A Knex object: its pool lends the driver's own connections, on which statements run as on any other. */
import type { Awaitable } from '../../core/store.ts';
import { SessionConfigError } from '../../errors.ts';
import type { Executor, Take } from './executor.ts';
import { type MysqlCallbackClient, MysqlExecutor } from './mysql2-client.ts';
import { type PgClient, PgExecutor } from './pg-client.ts';
import { type SqliteClient, SqliteExecutor } from './sqlite-client.ts';
import type { SqlDialect, SqlValue, Statement } from './statement.ts';

/** What is used of a `Knex` object. */
export interface KnexClient {
  readonly isTransaction?: boolean;
  readonly client: {
    readonly dialect: string;
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: never): Promise<unknown>;
  };
  raw(...args: never[]): unknown;
}

const DIALECTS: Readonly<Record<string, SqlDialect>> = { postgresql: 'postgresql', mysql: 'mysql', sqlite3: 'sqlite' };

export class KnexExecutor implements Executor {
  readonly dialect: SqlDialect;
  readonly interpolates: boolean;
  readonly #client: KnexClient['client'];
  readonly #prepare: boolean;
  readonly #executors = new WeakMap<object, Executor>();

  /** @throws SessionConfigError */
  constructor({ client, isTransaction }: KnexClient, prepare: boolean) {
    if (isTransaction) {
      throw new SessionConfigError('client', "a transaction of Knex's", 'the Knex object: a transaction ends');
    }
    const dialect = DIALECTS[client.dialect];
    if (!dialect) {
      const given = `a Knex object of the dialect ${client.dialect}`;
      throw new SessionConfigError('client', given, 'one of pg, mysql2 or better-sqlite3');
    }
    this.dialect = dialect;
    this.interpolates = !prepare;
    this.#client = client;
    this.#prepare = prepare;
  }

  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return this.#with((executor) => executor.run(statement, values, take));
  }

  runLocked<T>(lock: Statement, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return this.#with((executor) => executor.runLocked!(lock, statement, values, take));
  }

  async #with<T>(step: (executor: Executor) => Awaitable<T>): Promise<T> {
    const connection = (await this.#client.acquireConnection()) as object;
    try {
      return await step(this.#executorOn(connection));
    } finally {
      await this.#client.releaseConnection(connection as never);
    }
  }

  /** One for each connection, with what is prepared on it. */
  #executorOn(connection: object): Executor {
    let executor = this.#executors.get(connection);
    if (!executor) {
      if (this.dialect === 'postgresql') executor = new PgExecutor(connection as PgClient, this.#prepare);
      else if (this.dialect === 'mysql') {
        executor = new MysqlExecutor((connection as MysqlCallbackClient).promise(), this.#prepare);
      } else executor = new SqliteExecutor(connection as SqliteClient, this.#prepare);
      this.#executors.set(connection, executor);
    }
    return executor;
  }
}
