/** The pieces of the SQL store that need no server. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { SqlStore } from 'flacon/stores/sql';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { SessionConfigError, SessionStoreError } from '../../../src/errors.ts';
import { openSql } from '../../../src/stores/sql/open.ts';
import { fromText, toTimestamp } from '../../../src/stores/sql/timestamp.ts';
import { parseSqlUrl } from '../../../src/stores/sql/url.ts';
import { expectNotHeldUp } from '../../held-up.ts';

const directory = mkdtempSync(join(tmpdir(), 'flacon-sql-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const later = () => Date.now() + 60_000;

describe('URLs', () => {
  test.each([
    ['postgresql://u:p@h:5433/d', 'postgresql', 'u', 'p', 'h', 5433, 'd'],
    ['postgres://h/d', 'postgresql', undefined, undefined, 'h', undefined, 'd'],
    ['postgresql+psycopg2://u@/d?host=/var/run/postgresql', 'postgresql', 'u', undefined, '', undefined, 'd'],
    ['postgresql+asyncpg://u:p@[::1]:5432/d', 'postgresql', 'u', 'p', '::1', 5432, 'd'],
    ['mysql+pymysql://u:a%40b%2Fc+d@h:3307/d?charset=utf8', 'mysql', 'u', 'a@b/c+d', 'h', 3307, 'd'],
    ['mysql://u:with/slash?mark@h/d', 'mysql', 'u', 'with/slash?mark', 'h', undefined, 'd'],
    ['MySQL+mysqldb://u:@h', 'mysql', 'u', '', 'h', undefined, ''],
    ['mariadb+mariadbconnector://u:p@h/d%20e', 'mysql', 'u', 'p', 'h', undefined, 'd e'],
    ['sqlite://', 'sqlite', undefined, undefined, '', undefined, ':memory:'],
    ['sqlite:///', 'sqlite', undefined, undefined, '', undefined, ':memory:'],
    ['sqlite:///:memory:', 'sqlite', undefined, undefined, '', undefined, ':memory:'],
    ['sqlite:///app.db', 'sqlite', undefined, undefined, '', undefined, 'app.db'],
    ['sqlite:////var/lib/app@home.db', 'sqlite', undefined, undefined, '', undefined, '/var/lib/app@home.db'],
    ['sqlite+pysqlite:///C:\\app.db?timeout=5', 'sqlite', undefined, undefined, '', undefined, 'C:\\app.db'],
    ['sqlite:///a%20b.db', 'sqlite', undefined, undefined, '', undefined, 'a%20b.db'],
  ])('%s', (url, dialect, username, password, host, port, database) => {
    expect(parseSqlUrl(url)).toMatchObject({ dialect, username, password, host, port, database });
  });

  test.each([
    ['', 'a text that is no URL of a database'],
    ['app.db', 'a text that is no URL of a database'],
    ['oracle+cx_oracle://u:secret@h/d', 'a URL that begins with oracle'],
    ['postgresql://u:secret@h:port/d', 'a port that is none'],
    ['postgresql://u:secret@h:99999/d', 'a port that is none'],
    ['postgresql://u:secret%zz@h/d', 'a URL with a malformed escape'],
    ['sqlite://secret.db', 'a SQLite URL with a host'],
    ['sqlite:///secret.db?mode=ro&uri=true', 'the parameter "mode"'],
    ['mysql://u:secret@h/d?ssl_verify_cert=true', 'the parameter "ssl_verify_cert"'],
  ])('%j is refused, and not repeated', (url, given) => {
    let message = '';
    try {
      parseSqlUrl(url);
    } catch (error) {
      expect(error).toBeInstanceOf(SessionConfigError);
      message = (error as Error).message;
    }
    expect(message).toContain(`url: got ${given}`);
    expect(message).not.toContain('secret');
  });
});

describe('drivers of the store itself', () => {
  const address = (url: string) => parseSqlUrl(url);
  const options = { prepare: true, create: true };
  const missing = () =>
    Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));

  test.each([
    ['postgresql://h/d', 'pg'],
    ['mysql://h/d', 'mysql2'],
  ])('%s: one that is missing is named, with what to install', async (url, name) => {
    const failure = openSql(address(url), options, missing);
    await expect(failure).rejects.toThrow(SessionConfigError);
    await expect(failure).rejects.toThrow(
      `${name} cannot be found; expected an installed driver (npm install ${name})`,
    );
  });

  test('one that is broken says so itself', async () => {
    const broken = () => Promise.reject(new TypeError('broken'));
    await expect(openSql(address('postgresql://h/d'), options, broken)).rejects.toThrow(new TypeError('broken'));
  });

  test('pg gets everything that the URL says, escaped', async () => {
    const made: Record<string, unknown>[] = [];
    class Pool {
      readonly totalCount = 0;
      constructor(given: Record<string, unknown>) {
        made.push(given);
      }
      query = vi.fn();
      end = vi.fn(async () => {});
    }
    const url = 'postgresql+psycopg2://us%3Aer:p%40ss@[::1]:5433/my%2Fdb?sslmode=require&application_name=a b';
    const executor = await openSql(address(url), options, async () => ({ default: { Pool } }));
    expect(made[0]!.connectionString).toBe(
      'postgresql://us%3Aer:p%40ss@[::1]:5433/my%2Fdb?sslmode=require&application_name=a+b',
    );
    await executor.close!();
  });

  test('mysql2 gets everything that the URL says', async () => {
    const createPool = vi.fn((_options: object) => ({ end: async () => {} }));
    const url = 'mysql+pymysql://u:p%40ss@h:3307/d?charset=utf8mb4&unix_socket=/run/mysqld.sock';
    await openSql(address(url), options, async () => ({ createPool }));
    expect(createPool).toHaveBeenCalledWith(
      expect.objectContaining({
        user: 'u',
        password: 'p@ss',
        host: 'h',
        port: 3307,
        database: 'd',
        socketPath: '/run/mysqld.sock',
      }),
    );
  });
});

describe('timestamps', () => {
  test('are text that sorts as they do, and are read back to the microsecond', () => {
    const times = fc.double({ min: 0, max: 4_000_000_000_000, noNaN: true });
    fc.assert(
      fc.property(times, times, (a, b) => {
        const [first, second] = [toTimestamp(a, true), toTimestamp(b, true)];
        if (Math.abs(a - b) > 0.001) expect(first < second).toBe(a < b);
        expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
        expect(Math.abs(fromText(first) - a)).toBeLessThanOrEqual(0.0011);
        expect(toTimestamp(a, false)).toBe(first.slice(0, 19));
      }),
    );
  });

  test.each([
    [Number.POSITIVE_INFINITY, '9999-12-31 23:59:59.999999'],
    [1e300, '9999-12-31 23:59:58.000000'],
    [-1, '1970-01-01 00:00:00.000000'],
    [1_900_000_000_123.456, '2030-03-17 17:46:40.123456'],
    [1_900_000_000_999.9998, '2030-03-17 17:46:40.999999'],
  ])('%d: %s', (time, text) => expect(toTimestamp(time, true)).toBe(text));

  test.each([
    ['9999-12-31 23:59:59.999999', Number.POSITIVE_INFINITY],
    ['9999-12-31 23:59:58.000000', 253_402_300_798_000],
    ['2030-03-17T17:46:40', 1_900_000_000_000],
    ['2030-03-17 17:46:40.5', 1_900_000_000_500],
    ['2030-03-17', Number.NEGATIVE_INFINITY],
    ['2030-03-17 17:46:40.', Number.NEGATIVE_INFINITY],
    ['2030-03-17 17:46:40.1234567', Number.NEGATIVE_INFINITY],
    ['2030-03-17 17:46:4x', Number.NEGATIVE_INFINITY],
    ['soon', Number.NEGATIVE_INFINITY],
    [1_900_000_000, Number.NEGATIVE_INFINITY],
    [null, Number.NEGATIVE_INFINITY],
  ])('%j: %d', (text, time) => expect(fromText(text)).toBe(time));
});

describe('the table', () => {
  test('nothing is opened before the first use, and a file is made for its owner only', async () => {
    const path = join(directory, 'new.db');
    const store = new SqlStore({ url: `sqlite:///${path}` });
    expect(existsSync(path)).toBe(false);
    await store.setup();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await store.close();
    await expect((async () => store.read('k'))()).rejects.toThrow('session store sql: it is closed');
    await expect(store.setup()).rejects.toThrow(SessionStoreError);
  });

  test('`create: false` makes neither a file nor a table', async () => {
    const path = join(directory, 'none.db');
    const store = new SqlStore({ url: `sqlite:///${path}`, create: false });
    await expect(store.setup()).rejects.toThrow('url: got a SQLite file that is not there');
    expect(existsSync(path)).toBe(false);
    const database = new DatabaseSync(path);
    await expect(store.setup()).rejects.toThrow('table: got "sessions", which is not there');
    // Once it is there, the same store works.
    database.exec('CREATE TABLE sessions (id INTEGER PRIMARY KEY, session_id TEXT UNIQUE, data BLOB, expiry DATETIME)');
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    await store.close();
    database.close();
  });

  test('one of that name that is something else is refused, and stays', async () => {
    const database = new DatabaseSync(':memory:');
    database.exec("CREATE TABLE sessions (key TEXT, value TEXT); INSERT INTO sessions VALUES ('a', 'b')");
    const store = new SqlStore({ client: database });
    await expect((async () => store.read('k'))()).rejects.toThrow(
      /^table: got "sessions", which has the columns key, value; expected a column data, as Flask-Session's table has it/,
    );
    expect(database.prepare('SELECT count(*) AS n FROM sessions').get()).toEqual({ n: 1 });
    database.close();
  });

  test('rows that hold no bytes, or no time, are not there, and are replaced', async () => {
    const database = new DatabaseSync(':memory:');
    const store = new SqlStore({ client: database });
    await store.setup();
    const insert = database.prepare('INSERT INTO sessions (session_id, data, expiry) VALUES (?, ?, ?)');
    insert.run('no bytes', 'text', '9000-01-01 00:00:00.000000');
    insert.run('nothing', null, '9000-01-01 00:00:00.000000');
    insert.run('no time', Buffer.from('x'), null);
    for (const key of ['no bytes', 'nothing', 'no time']) {
      expect(await store.read(key)).toBeUndefined();
      expect(await store.touch(key, later())).toBe(false);
      expect(await store.write(key, bytes('one'), later(), bytes('x'))).toBe('gone');
      expect(await store.write(key, bytes('one'), later(), undefined)).toBe('written');
      expect(await store.write(key, bytes('two'), later(), bytes('one'))).toBe('written');
    }
    database.close();
  });

  test('hostile keys are keys', async () => {
    const store = new SqlStore({ url: 'sqlite://' });
    const hostile = ["'; DROP TABLE sessions --", '$1', '?', '%', '\0', '\u{1F36A}', '\\', '"', '`', '"sessions"'];
    for (const key of hostile) expect(await store.write(key, bytes(key), later(), undefined)).toBe('written');
    for (const key of hostile) expect(Buffer.from((await store.read(key))!.bytes).toString()).toBe(key);
    await store.close();
  });
});

describe('clean-up', () => {
  async function withExpired(count: number, options: { cleanupEvery?: number } = {}) {
    let time = 1_900_000_000_000;
    const database = new DatabaseSync(':memory:');
    const store = new SqlStore({ client: database, now: () => time, ...options });
    for (let n = 0; n < count; n++) await store.write(`k${n}`, bytes('x'), time + 1000, undefined);
    await store.write('live', bytes('x'), time + 60_000, undefined);
    time += 2000;
    const rows = () => database.prepare('SELECT count(*) AS n FROM sessions').get()!.n;
    return { store, rows };
  }

  test('sweep deletes as many as it is told', async () => {
    const { store, rows } = await withExpired(10);
    expect(await store.sweep(3)).toBe(3);
    expect(await store.sweep(0)).toBe(0);
    expect(await store.sweep(-1)).toBe(0);
    expect(await store.sweep(Number.NaN)).toBe(0);
    expect(rows()).toBe(8);
    expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(7);
    expect(rows()).toBe(1);
  });

  test('a write cleans up when its turn comes, and what fails there fails nobody', async () => {
    const { store, rows } = await withExpired(5, { cleanupEvery: 1 });
    await store.write('live', bytes('y'), 1_900_000_100_000, bytes('x'));
    await vi.waitFor(() => expect(rows()).toBe(1));
    await new Promise((resolve) => setTimeout(resolve));
    const failing = vi.spyOn(store, 'sweep').mockImplementation(() => Promise.reject(new Error('no')));
    expect(await store.write('live', bytes('z'), 1_900_000_100_000, bytes('y'))).toBe('written');
    await vi.waitFor(() => expect(failing).toHaveBeenCalled());
  });

  test('a write does so once in `cleanupEvery` times, and by default never', async () => {
    const random = vi.spyOn(Math, 'random');
    for (const [cleanupEvery, chance, expected] of [
      [10, 0.0999, 1],
      [10, 0.1, 3],
      [0, 0, 3],
    ] as const) {
      random.mockReturnValue(0.9);
      const { store, rows } = await withExpired(2, { cleanupEvery });
      random.mockReturnValue(chance);
      await store.write('live', bytes('y'), 1_900_000_100_000, bytes('x'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(rows()).toBe(expected);
    }
    random.mockRestore();
  });

  test('an expired row goes when it is read, as in Flask-Session', async () => {
    const { store, rows } = await withExpired(2);
    expect(await store.read('k0')).toBeUndefined();
    expect(rows()).toBe(2);
  });
});

describe('others who write the same file', () => {
  test('are waited for without holding up the process, as SQLite itself would', async () => {
    const path = join(directory, 'held up.db');
    const store = new SqlStore({ url: `sqlite:///${path}` });
    await store.write('k', bytes('one'), later(), undefined);
    const waiting = async () => {
      const other = new DatabaseSync(path);
      other.exec('BEGIN EXCLUSIVE');
      const results = [store.read('k'), store.touch('k', later())];
      await new Promise((resolve) => setTimeout(resolve, 60));
      other.exec('COMMIT');
      other.close();
      await Promise.all(results);
    };
    await expectNotHeldUp(path, waiting);
    await store.close();
  });

  test('are waited for, and then done', async () => {
    const path = join(directory, 'busy.db');
    const store = new SqlStore({ url: `sqlite:///${path}` });
    await store.write('k', bytes('one'), later(), undefined);
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    const results = [
      store.read('k'),
      store.write('k', bytes('two'), later(), bytes('one')),
      store.touch('k', later()),
      store.delete('never'),
    ];
    await new Promise((resolve) => setTimeout(resolve, 50));
    other.exec('COMMIT');
    const [found, ...rest] = await Promise.all(results);
    expect(Buffer.from((found as { bytes: Uint8Array }).bytes).toString()).toBeOneOf(['one', 'two']);
    expect(rest).toEqual(['written', true, false]);
    other.close();
    await store.close();
  });
});
