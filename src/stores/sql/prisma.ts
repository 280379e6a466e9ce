/** A Prisma client, used to run text. */
import { SessionConfigError } from '../../errors.ts';
import type { Executor, Take } from './executor.ts';
import { ordered, type SqlDialect, type SqlValue, type Statement } from './statement.ts';

/** What is used of a `PrismaClient` inside of a transaction too. */
interface PrismaRunner {
  $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<unknown>;
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

/** What is used of a `PrismaClient`. */
export interface PrismaClient extends PrismaRunner {
  $transaction<T>(body: (transaction: PrismaRunner) => Promise<T>): Promise<T>;
}

const PROVIDERS: Readonly<Record<string, SqlDialect>> = {
  postgresql: 'postgresql',
  postgres: 'postgresql',
  mysql: 'mysql',
  sqlite: 'sqlite',
};

export class PrismaExecutor implements Executor {
  readonly dialect: SqlDialect;
  readonly #client: PrismaClient;

  /** @throws SessionConfigError */
  constructor(client: PrismaClient, dialect?: SqlDialect) {
    if (typeof client.$transaction !== 'function') {
      throw new SessionConfigError('client', "a transaction of Prisma's", 'the Prisma client: a transaction ends');
    }
    // Not documented, and there in every release so far.
    const { _activeProvider: provider = '' } = client as { _activeProvider?: string };
    const found = dialect ?? PROVIDERS[provider];
    if (!found) {
      const given = provider
        ? `a Prisma client of the provider ${provider}`
        : 'a Prisma client that does not say for what';
      throw new SessionConfigError('client', given, 'one of postgresql, mysql or sqlite (or the option `dialect`)');
    }
    this.dialect = found;
    this.#client = client;
  }

  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return runOn(this.#client, statement, values, take);
  }

  runLocked<T>(lock: Statement, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return this.#client.$transaction(async (transaction) => {
      await transaction.$executeRawUnsafe(lock.sql);
      return runOn(transaction, statement, values, take);
    });
  }
}

async function runOn<T>(client: PrismaRunner, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
  const given = ordered(statement, values);
  if (statement.returns === 'nothing') return take([], await client.$executeRawUnsafe(statement.sql, ...given));
  const rows = (await client.$queryRawUnsafe(statement.sql, ...given)) as object[];
  return take(
    rows.map((row) => Object.values(row)),
    0,
  );
}
