/** What goes wrong with a database file, and with those who share it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteStore } from 'flacon/stores/sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isPromise } from '../../src/core/store.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { expectNotHeldUp } from '../held-up.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flacon-faults-'));
  path = join(directory, 'folder', 'sessions.db');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

const later = () => Date.now() + 600_000;
const bytes = (text: string) => new TextEncoder().encode(text);

function everyVerb(store: SqliteStore): (() => unknown)[] {
  return [
    () => store.read('k'),
    () => store.write('k', bytes('one'), later(), undefined),
    () => store.touch('k', later()),
    () => store.delete('k'),
    () => store.sweep(1),
  ];
}

describe('the file', () => {
  test('no database: every verb fails, with the error of SQLite', () => {
    mkdirSync(join(directory, 'folder'));
    writeFileSync(path, Buffer.alloc(8192, 'not a database'));
    for (const verb of everyVerb(new SqliteStore({ path }))) {
      expect(verb).toThrow(expect.objectContaining({ code: 'ERR_SQLITE_ERROR', errcode: 26 }));
    }
  });

  test('a folder, or in no folder: every verb fails', () => {
    writeFileSync(join(directory, 'folder'), '');
    for (const verb of everyVerb(new SqliteStore({ path }))) expect(verb).toThrow();
    for (const verb of everyVerb(new SqliteStore({ path: directory }))) expect(verb).toThrow();
  });

  test('damaged in the middle: an error or what was there, never something else', () => {
    const store = new SqliteStore({ path });
    for (let n = 0; n < 500; n++) store.write(`key ${n}`, bytes(`value ${n} `.repeat(20)), later(), undefined);
    store.close();
    const content = readFileSync(path);
    content.fill(0xa5, content.length / 2, content.length / 2 + 8192);
    writeFileSync(path, content);
    const again = new SqliteStore({ path });
    let failed = 0;
    for (let n = 0; n < 500; n++) {
      try {
        const found = again.read(`key ${n}`);
        if (found) expect(Buffer.from(found.bytes).toString()).toBe(`value ${n} `.repeat(20));
        else failed++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_SQLITE_ERROR' });
        failed++;
      }
    }
    expect(failed).toBeGreaterThan(0);
    again.close();
  });

  test('another table of that name: every verb fails, and the table stays', () => {
    mkdirSync(join(directory, 'folder'));
    const other = new DatabaseSync(path);
    other.exec(
      "CREATE TABLE sessions (id INTEGER PRIMARY KEY, session_id TEXT, data BLOB); INSERT INTO sessions VALUES (1, 'a', 'b')",
    );
    for (const verb of everyVerb(new SqliteStore({ path }))) expect(verb).toThrow(/no such column/);
    expect(other.prepare('SELECT count(*) AS n FROM sessions').get()).toEqual({ n: 1 });
    other.close();
  });

  test('deleted while it is used: a new one is begun within a second, which others see', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = new SqliteStore({ path });
    store.write('k', bytes('one'), later(), undefined);
    rmSync(join(directory, 'folder'), { recursive: true });
    vi.advanceTimersByTime(1000);
    expect(store.read('k')).toBeUndefined();
    expect(store.write('k', bytes('two'), later(), undefined)).toBe('written');
    const other = new SqliteStore({ path });
    expect(other.read('k')?.bytes).toEqual(bytes('two'));
    other.close();
    store.close();
  });
});

describe('somebody else is writing', () => {
  function locked(): { release: () => void } {
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    return {
      release() {
        other.exec('COMMIT');
        other.close();
      },
    };
  }

  test('reading goes on, writing waits', async () => {
    const store = new SqliteStore({ path });
    store.write('k', bytes('one'), later(), undefined);
    const other = locked();
    expect(store.read('k')?.bytes).toEqual(bytes('one'));
    const results = [
      store.write('k', bytes('two'), later(), bytes('one')),
      store.touch('k', later()),
      store.write('l', bytes('one'), later(), undefined),
      store.delete('never'),
    ];
    for (const result of results) expect(isPromise<unknown>(result)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(store.read('k')?.bytes).toEqual(bytes('one'));
    other.release();
    expect(await Promise.all(results)).toEqual(['written', true, 'written', false]);
    expect(store.read('k')?.bytes).toEqual(bytes('two'));
    store.close();
  });

  test('the process goes on meanwhile, where SQLite itself would hold it up', async () => {
    const store = new SqliteStore({ path });
    store.write('k', bytes('one'), later(), undefined);
    const waiting = async () => {
      const other = locked();
      const results = [store.touch('k', later()), store.write('l', bytes('one'), later(), undefined)];
      await new Promise((resolve) => setTimeout(resolve, 60));
      other.release();
      await Promise.all(results);
    };
    await expectNotHeldUp(path, waiting);
    store.close();
  });

  test('for too long: a typed error in time, and nothing was written', async () => {
    const store = new SqliteStore({ path, busyTimeout: 80 });
    store.write('k', bytes('one'), later(), undefined);
    const other = locked();
    const failure = await Promise.resolve(store.write('k', bytes('two'), later(), bytes('one'))).catch(
      (error) => error,
    );
    expect(failure).toBeInstanceOf(SessionStoreError);
    expect(failure).toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT', store: 'sqlite', operation: 'write' });
    expect(failure.cause).toMatchObject({ errcode: 5 });
    other.release();
    expect(store.read('k')?.bytes).toEqual(bytes('one'));
    store.close();
  });

  test('closed while it waits: an error, no crash', async () => {
    const store = new SqliteStore({ path });
    store.write('k', bytes('one'), later(), undefined);
    const other = locked();
    const waiting = Promise.resolve(store.delete('k')).catch((error) => error);
    store.close();
    expect(await waiting).toBeInstanceOf(SessionStoreError);
    other.release();
  });
});
