/**
 * What a Prisma client offers for raw statements, over a pool of `pg`: Prisma's own cannot be made without downloading its
 * engines. As there, values are bound (never written into the text), a statement is one, bytes come back as a plain `Uint8Array`,
 * and errors are wrapped.
 */
import type { Pool, PoolClient, QueryConfig } from 'pg';

interface Runner {
  $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<unknown>;
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

class PrismaClientKnownRequestError extends Error {
  readonly code = 'P2010';
  readonly meta: object;

  constructor({ code, message }: { code?: string; message: string }) {
    super(`Raw query failed. Code: ${code}. Message: ${message}`);
    this.meta = { code, message };
  }
}

export function prismaOver(pool: Pool) {
  return {
    _activeProvider: 'postgresql',
    ...runnerOn(pool),
    async $transaction<T>(body: (transaction: Runner) => Promise<T>): Promise<T> {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const result = await body(runnerOn(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

function runnerOn(client: Pool | PoolClient): Runner {
  const run = async (text: string, values: unknown[]) => {
    try {
      // The protocol that takes parameters, and no second statement.
      const query: QueryConfig & { queryMode: 'extended' } = { text, values, queryMode: 'extended' };
      return await client.query(query);
    } catch (error) {
      throw new PrismaClientKnownRequestError(error as Error);
    }
  };
  return {
    async $queryRawUnsafe(text, ...values) {
      const { rows } = await run(text, values);
      return rows.map((row: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? new Uint8Array(value) : value]),
        ),
      );
    },
    $executeRawUnsafe: async (text, ...values) => (await run(text, values)).rowCount ?? 0,
  };
}
