import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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

const HAS_PROC = existsSync('/proc/self/stat');
const NO_PROC = HAS_PROC ? '' : ' (skipped: no /proc)';

/** When it was started, as its own locks would say. */
function startOf(pid: number): string {
  if (!HAS_PROC) return '-';
  return readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')[19] as string;
}

const IS_WINDOWS = process.platform === 'win32';
const read = (path: string) => (IS_WINDOWS ? readFileSync(path, 'latin1') : readlinkSync(path, 'latin1'));
/** A lock as another process, or a filesystem without links, would have made it. */
const plant = (path: string, owner: string, form: 'link' | 'file' = 'link') =>
  form === 'link' && !IS_WINDOWS ? symlinkSync(owner, path) : writeFileSync(path, owner);
const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
const FOREIGN = 'elsewhere/boot/pid:[1] 1 1 token';

/** What another process here would have named itself in its lock. */
async function ownerWith({ pid, start }: { pid: number; start?: string }): Promise<string> {
  const paths = fresh();
  const mine = await withFileLock(paths, 1000, async () => read(paths.lock));
  const [table, , myStart] = mine.split(' ');
  return `${table} ${pid} ${start ?? myStart} token 1`;
}

const ownerWithPid = (pid: number) => ownerWith({ pid });

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
  expect(isThere(paths.lock)).toBe(false);
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
    const start = startOf(child.pid!);
    const owner = await ownerWith({ pid: child.pid!, start });
    plant(paths.lock, owner);
    const failure = await withFileLock(paths, 150, async () => 'taken').catch((error) => error);
    expect(failure).toBeInstanceOf(SessionStoreError);
    expect(failure.code).toBe('ERR_SESSION_STORE_TIMEOUT');
    expect(read(paths.lock)).toBe(owner);
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
  plant(paths.lock, await ownerWithPid(process.pid));
  const ended: string[] = [];
  const wait = (name: string, lock: LockPaths, timeout: number) =>
    withFileLock(lock, timeout, async () => 'taken').catch(({ code }) => ended.push(`${name} ${code}`));
  // One after the other they would take ten times as long as the one that is not in the queue.
  const other = fresh();
  plant(other.lock, await ownerWithPid(process.pid));
  await Promise.all([
    ...Array.from({ length: 20 }, () => wait('queue', paths, 200)),
    wait('alone, with twice the time', other, 400),
  ]);
  expect(ended).toEqual([
    ...Array.from({ length: 20 }, () => 'queue ERR_SESSION_STORE_TIMEOUT'),
    'alone, with twice the time ERR_SESSION_STORE_TIMEOUT',
  ]);
});

describe('a lock is taken at once, and never waited for as another is,', () => {
  /** Those who hold nothing wait `STALE_MS`; who takes the lock of `owner` must be there before them. */
  async function takenFirst(owner: string, form: 'link' | 'file'): Promise<void> {
    const [dead, foreign] = [fresh(), fresh()];
    plant(dead.lock, owner, form);
    plant(foreign.lock, FOREIGN, form);
    const order: string[] = [];
    const take = (name: string, paths: LockPaths) => withFileLock(paths, 20_000, async () => order.push(name));
    const before = take('foreign', foreign);
    // If the other had to wait as long, it would be the later one by this.
    await wait(500);
    await Promise.all([before, take('dead', dead)]);
    expect(order).toEqual(['dead', 'foreign']);
    expect(existsSync(dead.guard)).toBe(false);
  }

  describe.concurrent.each(['link', 'file'] as const)('as a %s', (form) => {
    test('when its process died', async () => {
      const { pid } = spawnSync('true');
      await takenFirst(await ownerWithPid(pid), form);
    });

    test.skipIf(!HAS_PROC)(`when another process has its id now${NO_PROC}`, async () => {
      await takenFirst(await ownerWith({ pid: process.pid, start: '1' }), form);
    });

    test.skipIf(!HAS_PROC)(`when its process waits for its parent to notice${NO_PROC}`, async () => {
      // The shell becomes a program that asks nobody how they ended.
      const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        const [text] = await once(parent.stdout, 'data');
        const pid = Number(text);
        const start = startOf(pid);
        process.kill(pid, 'SIGKILL');
        while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) await wait(5);
        await takenFirst(await ownerWith({ pid, start }), form);
      } finally {
        parent.kill('SIGKILL');
      }
    });
  });
});

test.skipIf(IS_WINDOWS)('a lock names its owner from the first moment on', async () => {
  const paths = fresh();
  await withFileLock(paths, 1000, async () => {
    expect(lstatSync(paths.lock).isSymbolicLink()).toBe(true);
    expect(readlinkSync(paths.lock)).toContain(` ${process.pid} `);
  });
});

test('who was overtaken knows it, and leaves the lock of the other alone', async () => {
  const paths = fresh();
  await withFileLock(paths, 1000, async (lock) => {
    expect(lock.isHeld()).toBe(true);
    unlinkSync(paths.lock);
    expect(lock.isHeld()).toBe(false);
    plant(paths.lock, FOREIGN);
    expect(lock.isHeld()).toBe(false);
  });
  expect(read(paths.lock)).toBe(FOREIGN);
});

test('while another process removes a dead lock, nobody else does; if it died over that, somebody does', async () => {
  const paths = fresh();
  const { pid } = spawnSync('true');
  const dead = await ownerWithPid(pid);
  plant(paths.lock, dead);
  writeFileSync(paths.guard, '');
  expect(await withFileLock(paths, 200, async () => 'taken').catch((error) => error.code)).toBe(
    'ERR_SESSION_STORE_TIMEOUT',
  );
  expect(read(paths.lock)).toBe(dead);
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
    ['of another machine', 'link', (): string | undefined => FOREIGN],
    ['of another machine', 'file', (): string | undefined => FOREIGN],
    ['without a name in it', 'file', (): string | undefined => ''],
    ['of a thread that ended', 'link', (): string | undefined => undefined],
  ] as const)('a lock %s, a %s, is taken when it has stayed the same for three seconds', async (_, form, owner) => {
    const paths = fresh();
    plant(paths.lock, owner() ?? (await ownerWithPid(process.pid)), form);
    const started = performance.now();
    expect(await withFileLock(paths, 10_000, async () => 'taken')).toBe('taken');
    expect(performance.now() - started).toBeGreaterThan(2900);
  });

  test('locks that change hands are never taken, however long it goes on', async () => {
    const paths = fresh();
    const foreign = (n: number) => {
      rmSync(paths.lock, { force: true });
      plant(paths.lock, `${FOREIGN} ${n}`);
    };
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
    expect(isThere(paths.lock)).toBe(false);
  });
});
