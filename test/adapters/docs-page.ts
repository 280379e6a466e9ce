/** The page of an adapter, with its snippets as the files that it says they are, beside the built package. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ensureBuilt, ROOT } from '../examples/built.ts';

const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, VITEST: ___, ...env } = process.env;

export interface DocsPage {
  /** How many snippets of TypeScript there are, with a name or without. */
  readonly snippets: number;
  /** By the name that the text before a snippet ends with. */
  readonly files: ReadonlyMap<string, string>;
  /** What a file exports. */
  load<T>(name: string): Promise<T>;
  /** Runs `node --test`. @returns what it printed */
  test(): string;
  /** Starts `server.ts` on a free port. @returns its URL */
  serve(): Promise<string>;
  close(): Promise<void>;
}

/** @param page relative to `docs/adapters/`, without its ending */
export async function docsPage(page: string): Promise<DocsPage> {
  await ensureBuilt();
  const text = readFileSync(join(ROOT, 'docs/adapters', `${page}.md`), 'utf8');
  const files = new Map(
    [...text.matchAll(/`([\w./-]+)`:\n\n```ts\n([\s\S]*?)```/g)].map((found) => [found[1]!, found[2]!]),
  );
  // Inside the package, so that it finds the package by its name, and beside what is built, which git ignores.
  const folder = join(ROOT, 'dist', `${page}-page-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const [name, code] of files) writeFileSync(join(folder, name), code);
  // Where the embedded store puts its files.
  const before = process.cwd();
  process.chdir(folder);
  const closers: (() => Promise<unknown>)[] = [];
  return {
    snippets: [...text.matchAll(/```ts\n/g)].length,
    files,
    load: (name) => import(join(folder, name)),
    test: () =>
      execFileSync(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder, env, encoding: 'utf8' }),
    async serve() {
      const port = await freePort();
      writeFileSync(join(folder, 'server.ts'), files.get('server.ts')!.replace('3000', String(port)));
      const child = spawn(process.execPath, ['server.ts'], { cwd: folder, env, stdio: 'inherit' });
      closers.push(async () => child.kill() && (await once(child, 'exit')));
      const url = `http://localhost:${port}`;
      await untilUp(url);
      return url;
    },
    async close() {
      for (const close of closers) await close();
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
