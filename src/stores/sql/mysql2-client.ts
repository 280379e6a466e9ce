/** The `mysql2` package: a pool or a connection, with callbacks or with promises. */
import type { Answer, Executor } from './executor.ts';
import { ordered, type SqlValue, type Statement } from './statement.ts';

/** Columns by position, whatever the connection is set up for. */
interface MysqlQuery {
  readonly sql: string;
  readonly rowsAsArray: true;
  readonly nestTables: false;
  readonly typeCast: true;
}

type MysqlResult = readonly [result: unknown, ...rest: unknown[]];

/** What is used of a pool or a connection of `mysql2/promise`. */
export interface MysqlPromiseClient {
  execute(query: MysqlQuery, values: SqlValue[]): Promise<MysqlResult>;
  query(query: MysqlQuery, values: SqlValue[]): Promise<MysqlResult>;
}

/** What is used of a pool or a connection of `mysql2`. */
export interface MysqlCallbackClient {
  promise(): MysqlPromiseClient;
}

export class MysqlExecutor implements Executor {
  readonly dialect = 'mysql';
  readonly interpolates: boolean;
  readonly #client: MysqlPromiseClient;

  constructor(client: MysqlPromiseClient, prepare: boolean) {
    this.#client = client;
    this.interpolates = !prepare;
  }

  async run(statement: Statement, values: readonly SqlValue[]): Promise<Answer> {
    const query = { sql: statement.sql, rowsAsArray: true, nestTables: false, typeCast: true } as const;
    const isKept = statement.name !== undefined && !this.interpolates;
    const [result] = await this.#client[isKept ? 'execute' : 'query'](query, ordered(statement, values));
    if (Array.isArray(result)) return { rows: result as unknown[][], changes: 0 };
    return { rows: [], changes: (result as { affectedRows: number }).affectedRows };
  }
}
