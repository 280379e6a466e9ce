/** The `pg` package: a pool, or one client, of the application or of the store's own. */
import type { Executor, Rows, Take } from './executor.ts';
import type { SqlValue, Statement } from './statement.ts';

interface PgQuery {
  readonly text: string;
  readonly values?: readonly SqlValue[];
  readonly name?: string;
  readonly rowMode: 'array';
}

interface PgResult {
  readonly rows: Rows;
  readonly rowCount: number | null;
}

/** What is used of a `Pool`. */
export interface PgPool {
  readonly totalCount: number;
  query(query: PgQuery): Promise<unknown>;
}

/** What is used of a connected `Client`, or of one that a pool lent. */
export interface PgClient {
  escapeLiteral(text: string): string;
  query(query: PgQuery): Promise<unknown>;
}

export class PgExecutor implements Executor {
  readonly dialect = 'postgresql';
  readonly #client: PgPool | PgClient;
  readonly #prepare: boolean;

  constructor(client: PgPool | PgClient, prepare: boolean) {
    this.#client = client;
    this.#prepare = prepare;
  }

  run<T>({ name, sql: text }: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    const query: PgQuery =
      this.#prepare && name !== undefined
        ? { name, text, values, rowMode: 'array' }
        : { text, values, rowMode: 'array' };
    return (this.#client.query(query) as Promise<PgResult>).then(({ rows, rowCount }) => take(rows, rowCount ?? 0));
  }

  /**
   * Both in one message, which the server takes as one transaction where none is open. A message of several statements
   * has no parameters, so the values go into the text, in hexadecimal digits.
   */
  async runLocked<T>(lock: Statement, { sql }: Statement, values: SqlValue[], take: Take<T>): Promise<T> {
    const text = `${lock.sql}; ${sql.replace(/\$(\d+)/g, (_, number: string) => literal(values[Number(number) - 1]))}`;
    const results = (await this.#client.query({ text, rowMode: 'array' })) as PgResult[];
    const { rows, rowCount } = results.at(-1)!;
    return take(rows, rowCount ?? 0);
  }
}

/** No quote and no backslash, whatever the value. */
function literal(value: SqlValue | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value !== 'string') return `decode('${value.toString('hex')}', 'hex')`;
  return `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`;
}

/**
 * One statement after the other: on a single client `pg` warns of more. What a caller has given up on still runs before
 * those that came later.
 */
export class SerialPgClient implements PgClient {
  readonly #client: PgClient;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: PgClient) {
    this.#client = client;
  }

  escapeLiteral(text: string): string {
    return this.#client.escapeLiteral(text);
  }

  query(query: PgQuery): Promise<unknown> {
    const answer = this.#last.then(() => this.#client.query(query));
    this.#last = answer.catch(() => {});
    return answer;
  }
}
