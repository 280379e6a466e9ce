/** The `mysql2` package: a pool or a connection, with callbacks or with promises. */
import type { Executor, Rows, Take } from './executor.ts';
import { ordered, type SqlValue, type Statement } from './statement.ts';

/** Columns by position, as they are, whatever the connection is set up for. */
interface Shape {
  readonly rowsAsArray: true;
  readonly nestTables: false;
  readonly typeCast: true | ((field: unknown, next: () => unknown) => unknown);
}
const PLAIN: Shape = { rowsAsArray: true, nestTables: false, typeCast: true };
const UNCAST: Shape = { ...PLAIN, typeCast: (_field, next) => next() };
const NONE: Rows = [];

type MysqlQuery = Shape & { readonly sql: string };

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
  readonly #shape: Shape;

  constructor(client: MysqlPromiseClient, prepare: boolean) {
    this.#client = client;
    this.interpolates = !prepare;
    this.#shape = hasTypeCast(client) ? UNCAST : PLAIN;
  }

  run<T>(statement: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    const { rowsAsArray, nestTables, typeCast } = this.#shape;
    const query = { sql: statement.sql, rowsAsArray, nestTables, typeCast };
    const isKept = statement.name !== undefined && !this.interpolates;
    const answer = this.#client[isKept ? 'execute' : 'query'](query, ordered(statement, values));
    return answer.then((answers) => {
      const result = answers[0];
      return Array.isArray(result) ? take(result, 0) : take(NONE, (result as { affectedRows: number }).affectedRows);
    });
  }
}

/** Only a function takes the place of one, and costs time for every column. */
function hasTypeCast(client: object): boolean {
  const { connection, pool } = client as { connection?: Configured; pool?: Configured };
  const { config } = pool ?? connection ?? (client as Configured);
  return typeof (config?.connectionConfig ?? config)?.typeCast === 'function';
}

interface Configured {
  readonly config?: { readonly typeCast?: unknown; readonly connectionConfig?: { readonly typeCast?: unknown } };
}
