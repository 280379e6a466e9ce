/** The snippets of the store's page run. Those that need several servers are compiled, as all are, and run as tests of their own. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { available } from '../../servers/process.ts';
import { startRedis } from '../../servers/redis.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'dist', `redis-page-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, 'docs/stores/redis.md'), 'utf8');
const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

const redis = await available(startRedis);
afterAll(() => redis.server?.stop());

describe.skipIf(redis.missing)(`docs/stores/redis.md${redis.note}`, () => {
  test.each(snippets.map((code, i) => ({ code, i })))('snippet $i', async ({ code, i }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `snippet-${i}.ts`);
    writeFileSync(file, code.replaceAll('redis://localhost:6379', redis.server!.url.replace(/\/\d*$/, '')));
    await import(file);
  });

  test('there are some', () => expect(snippets.length).toBeGreaterThan(3));
});
