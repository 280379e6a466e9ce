/** A Kysely object, used to run text on its connections. */
import { SessionConfigError } from '../../errors.ts';
import { type Executor, type Take, toNothing } from './executor.ts';
import { ordered, type SqlDialect, type SqlValue, type Statement } from './statement.ts';

interface KyselyQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly query: {
    readonly kind: 'RawNode';
    readonly sqlFragments: readonly string[];
    readonly parameters: readonly never[];
  };
  readonly queryId: { readonly queryId: string };
}

interface KyselyResult {
  readonly rows: readonly unknown[];
  readonly numAffectedRows?: bigint;
}

interface KyselyAdapter {
  readonly supportsReturning: boolean;
  readonly supportsTransactionalDdl: boolean;
}

/** What is used of a `Kysely` object. */
export interface KyselyClient {
  readonly isTransaction: boolean;
  getExecutor(): { readonly adapter: KyselyAdapter };
  withoutPlugins(): KyselyClient;
  executeQuery(query: KyselyQuery): Promise<KyselyResult>;
  transaction(): { execute<T>(body: (transaction: KyselyClient) => Promise<T>): Promise<T> };
}

export class KyselyExecutor implements Executor {
  readonly dialect: SqlDialect;
  /** Its MySQL driver does not prepare statements. */
  readonly interpolates = true;
  readonly #client: KyselyClient;

  /** @throws SessionConfigError */
  constructor(client: KyselyClient, dialect?: SqlDialect) {
    if (client.isTransaction) {
      throw new SessionConfigError('client', "a transaction of Kysely's", 'the Kysely object: a transaction ends');
    }
    // Plugins may rename columns.
    this.#client = client.withoutPlugins();
    this.dialect = dialect ?? dialectOf(client.getExecutor().adapter);
  }

  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return runOn(this.#client, statement, values, take);
  }

  runLocked<T>(lock: Statement, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    return this.#client.transaction().execute(async (transaction) => {
      await runOn(transaction, lock, [], toNothing);
      return runOn(transaction, statement, values, take);
    });
  }
}

let queries = 0;

async function runOn<T>(client: KyselyClient, statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
  const { rows, numAffectedRows = 0n } = await client.executeQuery({
    sql: statement.sql,
    parameters: ordered(statement, values),
    query: { kind: 'RawNode', sqlFragments: [statement.sql], parameters: [] },
    queryId: { queryId: `flacon-${++queries}` },
  });
  return take(
    rows.map((row) => Object.values(row as object)),
    Number(numAffectedRows),
  );
}

/** By what its databases can do, since names are lost when an application is minified. */
function dialectOf({ supportsReturning, supportsTransactionalDdl }: KyselyAdapter): SqlDialect {
  if (!supportsReturning && supportsTransactionalDdl) {
    throw new SessionConfigError('client', 'a Kysely object of another database', 'one of PostgreSQL, MySQL or SQLite');
  }
  if (supportsTransactionalDdl) return 'postgresql';
  return supportsReturning ? 'sqlite' : 'mysql';
}
