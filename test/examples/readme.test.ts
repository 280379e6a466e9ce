/** The README's first program, as it stands there: it sets a value, and reads it at the next request. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from './built.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'flacon-readme-'));
// Inside the package, so that it finds the package by its name, and beside what is built, which git ignores.
const program = join(root, 'dist', 'readme', `${process.pid}.ts`);

beforeAll(async () => {
  await ensureBuilt();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(program, { force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('has one sentence, and then a whole program before line 25', () => {
  const lines = readme.split('\n');
  expect(lines[0]).toBe('# flacon');
  expect(lines[2]?.match(/\./g)).toHaveLength(1);
  const end = lines.findIndex((line, i) => line === '```' && lines.slice(0, i).includes('```ts'));
  expect(end).toBeGreaterThan(0);
  expect(end).toBeLessThan(25);
});

it('counts the visits of each visitor', async () => {
  const source = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] as string;
  const port = await freePort();
  mkdirSync(join(root, 'dist', 'readme'), { recursive: true });
  writeFileSync(program, source.replaceAll('3000', String(port)));
  const child = spawn(process.execPath, [program], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [url] = (await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (chunk) => resolve(String(chunk).trim()));
      child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    }).then((line) => [line])) as [string];
    const first = await fetch(url);
    expect(await first.text()).toBe('visit 1');
    const cookie = first.headers.getSetCookie()[0]?.split(';', 1)[0] as string;
    expect(await (await fetch(url, { headers: { cookie } })).text()).toBe('visit 2');
    expect(await (await fetch(url)).text()).toBe('visit 1');
  } finally {
    child.kill();
  }
});
