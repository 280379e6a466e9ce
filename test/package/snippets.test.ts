/** Every TypeScript snippet of the README and the docs compiles, against the sources. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'dist', `snippets-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a reader of a page has before them when a snippet begins in the middle. */
const CONTEXT: Record<string, string> = {
  express: "import express from 'express';",
  sessions: "import { sessions } from 'flacon/adapters/express';",
  app: 'declare const app: import("express").Express;',
  req: 'declare const req: import("express").Request;',
  item: 'declare const item: Item;',
  Item: 'interface Item { id: number }',
};

function pages(path: string): string[] {
  return readdirSync(join(root, path), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Decorators need compiler options of their own: test/adapters/docs-nestjs.test.ts compiles the page, and runs it. */
const OWN_TEST = join(root, 'docs/adapters/nestjs.md');

/** Notation of a contract, rather than code. */
const NOTATION = /^\w+\([^)]*\): /m;

it('compiles', () => {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const page of [join(root, 'README.md'), ...pages('docs')]) {
    if (page === OWN_TEST) continue;
    for (const [i, match] of [...readFileSync(page, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].entries()) {
      const code = match[1] as string;
      if (NOTATION.test(code)) continue;
      const wanted = /\bitem\b/.test(code) ? `${code} Item` : code;
      const missing = Object.entries(CONTEXT).filter(
        ([name]) =>
          new RegExp(`\\b${name}\\b`).test(wanted) &&
          !new RegExp(`(import|const|let|interface)[^;\\n]*\\b${name}\\b|\\(${name}, `).test(code),
      );
      const name = `${relative(root, page).replace(/[^\w]+/g, '-')}-${i}.ts`;
      writeFileSync(join(folder, name), `${missing.map(([, text]) => text).join('\n')}\n${code}\nexport {};\n`);
      count++;
    }
  }
  expect(count).toBeGreaterThan(3);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: {
        paths: {
          flacon: ['../../src/index.ts'],
          'flacon/flask': ['../../src/flask/index.ts'],
          'flacon/*': ['../../src/*.ts'],
        },
      },
      include: ['*.ts'],
      exclude: [],
    }),
  );
  let output = '';
  try {
    execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], { encoding: 'utf8' });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  expect(output).toBe('');
});
