/** The snippets of the store's page run, those in JavaScript too. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { startMemcached } from '../../servers/memcached.ts';
import { available } from '../../servers/process.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'dist', `memcached-page-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, 'docs/stores/memcached.md'), 'utf8');
const snippets = [...page.matchAll(/```[tj]s\n([\s\S]*?)```/g)].map((match) => match[1]!);

const memcached = await available(startMemcached);
afterAll(() => memcached.server?.stop());

describe.skipIf(memcached.missing)(`docs/stores/memcached.md${memcached.note}`, () => {
  test.each(snippets.map((code, i) => ({ code, i })))('snippet $i', async ({ code, i }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `snippet-${i}.ts`);
    // Where there is a server, it is asked something before the store is closed.
    const used = code.includes('localhost')
      ? code.replace('await store.close', "await store.delete('no');\nawait store.close")
      : code;
    writeFileSync(file, used.replaceAll('localhost:11211', memcached.server!.address));
    await import(file);
  });

  test('there are some', () => expect(snippets.length).toBeGreaterThan(3));
});
