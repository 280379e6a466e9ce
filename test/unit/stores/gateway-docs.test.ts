/** The snippets of these stores' pages run; that they compile is tested with those of all pages. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { startDynamodb } from '../../servers/dynamodb.ts';
import { available } from '../../servers/process.ts';
import { startRedis } from '../../servers/redis.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'dist', `gateway-pages-${process.pid}`);
const redis = await available(startRedis);
const dynamodb = await startDynamodb();
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await redis.server?.stop();
  await dynamodb.stop();
});

describe.each(['dynamodb', 'keyv', 'unstorage', 'connect'])('docs/stores/%s.md', (page) => {
  const text = readFileSync(join(root, `docs/stores/${page}.md`), 'utf8');
  const snippets = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match, i) => ({ code: match[1]!, i }));

  test('has some', () => expect(snippets.length).toBeGreaterThan(0));

  const needed = page === 'connect' && redis.missing;
  test.skipIf(needed).each(snippets)(`snippet $i${needed ? redis.note : ''}`, async ({ code, i }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${page}-${i}.ts`);
    const local = code
      .replaceAll('redis://localhost:6379', redis.server?.url ?? '')
      .replaceAll('http://localhost:8000', dynamodb.url);
    writeFileSync(file, local);
    await import(file);
  });
});
