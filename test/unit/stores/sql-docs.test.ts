/** The snippets of the store's page run. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqlStore } from 'flacon/stores/sql';
import { afterAll, describe, expect, test } from 'vitest';
import { startMariadb } from '../../servers/mariadb.ts';
import { startPostgres } from '../../servers/postgres.ts';
import { available } from '../../servers/process.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'dist', `sql-page-${process.pid}`);
const [postgres, mariadb] = await Promise.all([available(startPostgres), available(startMariadb)]);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([postgres.server?.stop(), mariadb.server?.stop()]);
});

const page = readFileSync(join(root, 'docs/stores/sql.md'), 'utf8');
const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

describe.skipIf(postgres.missing || mariadb.missing)(`docs/stores/sql.md${postgres.note || mariadb.note}`, () => {
  test.each(snippets.map((code, i) => ({ code, i })))('snippet $i', async ({ code, i }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `snippet-${i}.ts`);
    const there = code
      .replaceAll('postgresql://user:password@localhost:5432/app', postgres.server!.url)
      .replace(/mysql[+a-z]*:\/\/user:password@localhost:3306\/app/g, mariadb.server!.url)
      .replaceAll("'app.db'", JSON.stringify(join(folder, 'app.db')));
    writeFileSync(file, there);
    await import(file);
  });

  test('the table made by hand, and what it lacks', async () => {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ connectionString: postgres.server!.url });
    const [create, mend] = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!);
    const [, index] = /`(CREATE INDEX [^`]*)`/.exec(page)!;
    await pool.query('DROP TABLE IF EXISTS sessions');
    await pool.query(create!);
    for (const statement of [undefined, mend, index]) {
      if (statement) await pool.query(statement);
      const store = new SqlStore({ client: pool });
      const key = `k ${statement}`;
      expect(await store.write(key, Buffer.from('one'), Date.now() + 60_000, undefined)).toBe('written');
    }
    await pool.end();
  });

  test('there are some', () => expect(snippets.length).toBeGreaterThan(3));
});
