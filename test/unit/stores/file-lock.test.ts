import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SessionStoreError } from '../../../src/errors.ts';
import { type LockPaths, withFileLock } from '../../../src/stores/file-lock.ts';

const directory = mkdtempSync(join(tmpdir(), 'flacon-lock-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let locks = 0;
function fresh(): LockPaths {
  const n = ++locks;
  return { lock: join(directory, `lock ${n}`), guard: join(directory, `guard ${n}`) };
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What another process here would have written into its lock. */
async function ownerWithPid(pid: number): Promise<string> {
  const paths = fresh();
  const mine = await withFileLock(paths, 1000, async () => readFileSync(paths.lock, 'latin1'));
  return mine.replace(/ \d+ .*$/, ` ${pid} token 1`);
}

test('one after another, in order, and nothing stays', async () => {
  const paths = fresh();
  const order: string[] = [];
  const step = (name: string) =>
    withFileLock(paths, 1000, async (lock) => {
      order.push(`${name} in`);
      await wait(5);
      expect(lock.isHeld()).toBe(true);
      order.push(`${name} out`);
      return name;
    });
  expect(await Promise.all(['a', 'b', 'c'].map(step))).toEqual(['a', 'b', 'c']);
  expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  expect(existsSync(paths.lock)).toBe(false);
});

test('a failure comes out, and the next has its turn', async () => {
  const paths = fresh();
  const failing = withFileLock(paths, 1000, async () => {
    throw new Error('failed');
  });
  const next = withFileLock(paths, 1000, async () => 'next');
  await expect(failing).rejects.toThrow('failed');
  expect(await next).toBe('next');
});

test('a lock of a process that lives is waited for, and not taken', async () => {
  const paths = fresh();
  const child = spawn('sleep', ['60']);
  try {
    const owner = await ownerWithPid(child.pid!);
    writeFileSync(paths.lock, owner);
    const failure = await withFileLock(paths, 150, async () => 'taken').catch((error) => error);
    expect(failure).toBeInstanceOf(SessionStoreError);
    expect(failure.code).toBe('ERR_SESSION_STORE_TIMEOUT');
    expect(readFileSync(paths.lock, 'latin1')).toBe(owner);
    const waiting = withFileLock(paths, 2000, async () => 'mine');
    await wait(30);
    unlinkSync(paths.lock);
    expect(await waiting).toBe('mine');
  } finally {
    child.kill();
  }
});

test('those who wait in the queue time out together', async () => {
  const paths = fresh();
  writeFileSync(paths.lock, await ownerWithPid(process.pid));
  const started = performance.now();
  const waiting = Array.from({ length: 20 }, () => withFileLock(paths, 200, async () => 'taken').catch((e) => e.code));
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ERR_SESSION_STORE_TIMEOUT']));
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a lock of a process that died is taken at once', async () => {
  const paths = fresh();
  const { pid } = spawnSync('true');
  writeFileSync(paths.lock, await ownerWithPid(pid));
  const started = performance.now();
  expect(await withFileLock(paths, 5000, async () => 'taken')).toBe('taken');
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(existsSync(paths.guard)).toBe(false);
});

test('who was overtaken knows it, and leaves the lock of the other alone', async () => {
  const paths = fresh();
  const other = 'elsewhere/boot/pid:[1] 1 token 1';
  await withFileLock(paths, 1000, async (lock) => {
    expect(lock.isHeld()).toBe(true);
    writeFileSync(paths.lock, other);
    expect(lock.isHeld()).toBe(false);
  });
  expect(readFileSync(paths.lock, 'latin1')).toBe(other);
});

test('while another process removes a dead lock, nobody else does; if it died over that, somebody does', async () => {
  const paths = fresh();
  const { pid } = spawnSync('true');
  const dead = await ownerWithPid(pid);
  writeFileSync(paths.lock, dead);
  writeFileSync(paths.guard, '');
  expect(await withFileLock(paths, 200, async () => 'taken').catch((error) => error.code)).toBe(
    'ERR_SESSION_STORE_TIMEOUT',
  );
  expect(readFileSync(paths.lock, 'latin1')).toBe(dead);
  const long = new Date(Date.now() - 60_000);
  utimesSync(paths.guard, long, long);
  expect(await withFileLock(paths, 2000, async () => 'taken')).toBe('taken');
});

test('a missing folder is the error of the system', async () => {
  const nowhere = { lock: join(directory, 'no', 'lock'), guard: join(directory, 'no', 'guard') };
  await expect(withFileLock(nowhere, 100, async () => 'taken')).rejects.toMatchObject({ code: 'ENOENT' });
});

describe.concurrent('over seconds', () => {
  test.each([
    ['of another machine', () => 'elsewhere/boot/pid:[1] 1 token 1'],
    ['without a name in it', () => ''],
    ['of a thread that ended', () => undefined],
  ])('a lock %s is taken when it has stayed the same for three seconds', async (_, owner) => {
    const paths = fresh();
    writeFileSync(paths.lock, owner() ?? (await ownerWithPid(process.pid)));
    const started = performance.now();
    expect(await withFileLock(paths, 10_000, async () => 'taken')).toBe('taken');
    expect(performance.now() - started).toBeGreaterThan(2900);
  });

  test('locks that change hands are never taken, however long it goes on', async () => {
    const paths = fresh();
    const foreign = (n: number) => writeFileSync(paths.lock, `elsewhere/boot/pid:[1] 1 token ${n}`);
    foreign(0);
    const waiting = withFileLock(paths, 4000, async () => 'taken').catch((error) => error.code);
    for (let n = 1; n <= 20; n++) {
      await wait(200);
      foreign(n);
    }
    expect(await waiting).toBe('ERR_SESSION_STORE_TIMEOUT');
  });

  test('who took too long no longer trusts its lock', async () => {
    const paths = fresh();
    await withFileLock(paths, 1000, async (lock) => {
      await wait(1600);
      expect(lock.isHeld()).toBe(false);
    });
    expect(existsSync(paths.lock)).toBe(false);
  });
});
