import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { SqliteStore } from 'flacon/stores/sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SessionConfigError, SessionStoreError } from '../../../src/errors.ts';
import { loadSqlite } from '../../../src/stores/sqlite-database.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flacon-sqlite-'));
  path = join(directory, 'a', 'b', 'sessions.db');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

test('nothing is made before the first verb; then all is for the owner alone', () => {
  const store = new SqliteStore({ path });
  expect(existsSync(join(directory, 'a'))).toBe(false);
  store.write('k', bytes('one'), Date.now() + 1000, undefined);
  expect(statSync(join(directory, 'a', 'b')).mode & 0o777).toBe(0o700);
  const files = readdirSync(join(directory, 'a', 'b')).sort();
  expect(files).toEqual(['sessions.db', 'sessions.db-shm', 'sessions.db-wal']);
  for (const name of files) expect(statSync(join(directory, 'a', 'b', name)).mode & 0o777).toBe(0o600);
  store.close();
});

test('closing leaves one file, and ends the store', () => {
  const store = new SqliteStore({ path });
  store.write('k', bytes('one'), Date.now() + 60_000, undefined);
  store.close();
  store.close();
  expect(readdirSync(join(directory, 'a', 'b'))).toEqual(['sessions.db']);
  expect(() => store.read('k')).toThrow(SessionStoreError);
  const again = new SqliteStore({ path });
  expect(again.read('k')?.bytes).toEqual(bytes('one'));
  again.close();
});

test('tables keep apart; a table can be in memory', () => {
  const [one, two] = [new SqliteStore({ path, table: 'one' }), new SqliteStore({ path, table: 'two' })];
  one.write('k', bytes('one'), Date.now() + 60_000, undefined);
  expect(two.read('k')).toBeUndefined();
  const memory = new SqliteStore({ path: ':memory:' });
  memory.write('k', bytes('one'), Date.now() + 60_000, undefined);
  expect(memory.read('k')?.bytes).toEqual(bytes('one'));
  for (const store of [one, two, memory]) store.close();
});

describe('sweeping', () => {
  function fill(store: SqliteStore, size: number, expiresAt: number): void {
    for (let n = 0; n < size; n++) store.write(`${expiresAt} ${n}`, bytes('one'), expiresAt, undefined);
  }
  const rows = () => {
    const database = new DatabaseSync(path);
    const { n } = database.prepare('SELECT count(*) AS n FROM sessions').get() as { n: number };
    database.close();
    return n;
  };

  test('happens along with writing: a store that lives long stays as small as its load', () => {
    let now = 1_900_000_000_000;
    const store = new SqliteStore({ path, now: () => now });
    let most = 0;
    for (let n = 0; n < 20_000; n++) {
      now += 1;
      store.write(`visitor ${n}`, bytes('x'), now + 500, undefined);
      if (n % 5000 === 4999) most = Math.max(most, rows());
    }
    expect(most).toBeLessThan(2000);
    store.close();
  });

  test('goes round a table in parts', async () => {
    let now = 1_900_000_000_000;
    const store = new SqliteStore({ path, now: () => now });
    fill(store, 2000, now + 60_000);
    fill(store, 90, now + 1000);
    now += 1000;
    expect(await store.sweep(20)).toBe(20);
    expect(await store.sweep(50)).toBe(50);
    expect(await store.sweep(50)).toBe(20);
    expect(rows()).toBe(2000);
    store.close();
  });
});

test('deadlines: to the millisecond, and never', () => {
  const store = new SqliteStore({ path, now: () => 1_900_000_000_000 });
  store.write('k', bytes('one'), 1_900_000_000_001.9, undefined);
  expect(store.read('k')?.expiresAt).toBe(1_900_000_000_001);
  store.touch('k', Number.POSITIVE_INFINITY);
  expect(store.read('k')?.expiresAt).toBe(Number.POSITIVE_INFINITY);
  store.close();
});

test('node:sqlite is loaded without its warning, others still come', () => {
  const seen: unknown[] = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void seen.push(args[0]));
  const mine = process.emitWarning;
  vi.spyOn(process, 'getBuiltinModule').mockImplementation((() => {
    process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning');
    process.emitWarning('Something else', 'ExperimentalWarning');
    process.emitWarning(new Error('SQLite is broken'));
    return undefined;
  }) as typeof process.getBuiltinModule);
  expect(loadSqlite()).toBeUndefined();
  expect(seen.map(String)).toEqual(['Something else', 'Error: SQLite is broken']);
  expect(process.emitWarning).toBe(mine);
});

test('a process that uses it says nothing', () => {
  const script = `
    import { SqliteStore } from ${JSON.stringify(fileURLToPath(new URL('../../../src/stores/sqlite.ts', import.meta.url)))};
    const store = new SqliteStore({ path: ${JSON.stringify(path)} });
    store.write('k', new Uint8Array(1), Date.now() + 1000, undefined);
    console.log(store.read('k').bytes.length);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  expect(output.trim()).toBe('1');
});

describe('configuration', () => {
  test.each([
    ['path', { path: '' }],
    ['table', { table: 'x; DROP TABLE y' }],
    ['table', { table: '' }],
    ['table', { table: '1st' }],
  ])('%s is checked', (option, options) => {
    expect(() => new SqliteStore(options)).toThrow(SessionConfigError);
    expect(() => new SqliteStore(options)).toThrow(option);
  });

  test('without node:sqlite the error says what has it and what to use', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    expect(() => new SqliteStore({ path })).toThrow(SessionConfigError);
    expect(() => new SqliteStore({ path })).toThrow(/Node 22\.13.*FilesystemStore/);
  });
});
