import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';
import { fileName } from '../../../src/stores/cachelib-names.ts';

let directory: string;
beforeEach(() => {
  vi.resetModules();
  directory = mkdtempSync(join(tmpdir(), 'flacon-embedded-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const load = async () => (await import('flacon/stores/embedded')).embeddedStore;
const withoutSqlite = () => vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);

test('SQLite in the folder, without a word, where the runtime has it', async () => {
  const notices: string[] = [];
  const embeddedStore = await load();
  const store = embeddedStore({ directory, onNotice: (message) => notices.push(message) });
  expect(store.name).toBe('sqlite');
  expect(await store.write('k', new Uint8Array(1), Date.now() + 60_000, undefined)).toBe('written');
  expect(readdirSync(directory)).toContain('sessions.db');
  expect(notices).toEqual([]);
  await store.close?.();
});

test('files in the same folder elsewhere, as many as there are, with one notice per process', async () => {
  withoutSqlite();
  const embeddedStore = await load();
  const notices: string[] = [];
  const onNotice = (message: string) => notices.push(message);
  const store = embeddedStore({ directory: join(directory, 'new'), onNotice });
  embeddedStore({ directory, onNotice });
  expect(store.name).toBe('filesystem');
  expect(notices).toEqual([expect.stringContaining('Node 22.13')]);
  await store.write('k', new Uint8Array(1), Date.now() + 60_000, undefined);
  expect(readdirSync(join(directory, 'new'))).toEqual([fileName('k', 'sha256')]);
  expect(statSync(join(directory, 'new')).mode & 0o777).toBe(0o700);
});

test('the notice is a process warning with a code', async () => {
  withoutSqlite();
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  (await load())({ directory });
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.any(String), { code: 'FLACON_EMBEDDED_FILESYSTEM' });
});

test('both tell the time by the clock that is given', async () => {
  for (const prepare of [() => {}, withoutSqlite]) {
    prepare();
    let now = 1_900_000_000_000;
    const store = (await load())({ directory, onNotice: () => {}, now: () => now });
    await store.write('k', new Uint8Array(1), now + 5000, undefined);
    expect(await store.read('k')).toBeDefined();
    now += 5000;
    expect(await store.read('k')).toBeUndefined();
    await store.close?.();
  }
});

test('an empty folder name is an error', async () => {
  const embeddedStore = await load();
  // The module was loaded anew, its error class with it.
  expect(() => embeddedStore({ directory: '' })).toThrow(expect.objectContaining({ name: SessionConfigError.name }));
});
