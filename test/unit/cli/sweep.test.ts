/** The `flacon` command, as it is called. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqlStore } from 'flacon/stores/sql';
import { afterAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'flacon-cli-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function flacon(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env } }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
}

async function expired(name: string, count: number, table?: string): Promise<string> {
  const url = `sqlite:///${join(directory, name)}`;
  const past = Date.now() - 60_000;
  const store = new SqlStore({ url, now: () => past - 1000, ...(table ? { table } : {}) });
  for (let n = 0; n < count; n++) await store.write(`k${n}`, Buffer.from('x'), past, undefined);
  await store.write('live', Buffer.from('x'), Date.now() + 60_000, undefined);
  await store.close();
  return url;
}

test('help and version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(await flacon(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  const help = await flacon(['--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  expect(help.out).toMatch(/^Usage: flacon <command>[\s\S]*--limit/);
  expect((await flacon(['sweep', '-h'])).out).toMatch(/^flacon sweep --url/);
});

test('sweep: everything that has expired, in as many statements as it takes', async () => {
  const url = await expired('all.db', 2100);
  expect(await flacon(['sweep', '--url', url])).toEqual({ code: 0, out: '2100 expired sessions deleted\n', err: '' });
  expect((await flacon(['sweep', '--url', url])).out).toBe('0 expired sessions deleted\n');
  const store = new SqlStore({ url });
  expect(await store.read('live')).toBeDefined();
  await store.close();
});

test('sweep: up to a limit, in another table, at the address of the environment', async () => {
  const url = await expired('some.db', 3, 'my_sessions');
  const sweep = (...args: string[]) =>
    flacon(['sweep', '--table', 'my_sessions', ...args], { SQLALCHEMY_DATABASE_URI: url });
  expect((await sweep('--limit', '1')).out).toBe('1 expired session deleted\n');
  expect((await sweep('--limit=0')).out).toBe('0 expired sessions deleted\n');
  expect((await sweep()).out).toBe('2 expired sessions deleted\n');
});

test.each([
  [[], 'a command is missing'],
  [['clean'], 'no command clean'],
  [['sweep'], 'sweep needs --url, or SQLALCHEMY_DATABASE_URI in the environment'],
  [['sweep', '--url'], "Option '--url <value>' argument missing"],
  [['sweep', '--urk', 'x'], "Unknown option '--urk'"],
  [['sweep', '--url', 'sqlite://', '--limit', '-3'], "Option '--limit' argument is ambiguous"],
  [['sweep', '--url', 'sqlite://', '--limit', '3x'], '--limit has to be a whole number'],
])('%j: not understood', async (args, message) => {
  const { code, out, err } = await flacon(args, { SQLALCHEMY_DATABASE_URI: '' });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(`flacon: ${message}`);
});

test('what fails says why, without the password', async () => {
  const file = join(directory, 'none.db');
  expect(await flacon(['sweep', '--url', `sqlite:///${file}`])).toMatchObject({ code: 1, out: '' });
  expect(existsSync(file)).toBe(false);
  const { code, err } = await flacon(['sweep', '--url', 'postgresql://u:secret@127.0.0.1:1/d']);
  expect({ code, err }).toEqual({
    code: 1,
    err: 'flacon: session store sql: no connection: is a server running there, and is this its address?\n',
  });
  expect(await flacon(['sweep', '--url', 'sqlite://', '--table', 'a"b'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('table: got "a\\"b"'),
  });
});
