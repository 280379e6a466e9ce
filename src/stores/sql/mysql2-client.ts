/** The `mysql2` package: a pool or a connection, with callbacks or with promises. */
import type { Answer, Executor } from './executor.ts';
import { ordered, type SqlValue, type Statement } from './statement.ts';

/** Columns by position, as they are, whatever the connection is set up for. */
const PLAIN = { rowsAsArray: true, nestTables: false } as const;
const UNCAST = { ...PLAIN, typeCast: (_field: unknown, next: () => unknown) => next() };

type MysqlQuery = (typeof PLAIN | typeof UNCAST) & { readonly sql: string };

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
  readonly #shape: typeof PLAIN | typeof UNCAST;

  constructor(client: MysqlPromiseClient, prepare: boolean) {
    this.#client = client;
    this.interpolates = !prepare;
    this.#shape = hasTypeCast(client) ? UNCAST : PLAIN;
  }

  async run(statement: Statement, values: readonly SqlValue[]): Promise<Answer> {
    const query = { ...this.#shape, sql: statement.sql };
    const isKept = statement.name !== undefined && !this.interpolates;
    const [result] = await this.#client[isKept ? 'execute' : 'query'](query, ordered(statement, values));
    if (Array.isArray(result)) return { rows: result as unknown[][], changes: 0 };
    return { rows: [], changes: (result as { affectedRows: number }).affectedRows };
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
