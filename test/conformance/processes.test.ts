/** Several processes, and threads, on the same records: nothing is lost, nor when one of them is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { withFileLock } from '../../src/stores/file-lock.ts';
import { increment, openStore, text, utf8, type WriterTask } from './writer-process.ts';

const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'flacon-processes-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const KEYS = ['one', 'two', 'three'];
const MINUTE = 60_000;

function inProcess(task: WriterTask): Promise<void> {
  const child = spawn(process.execPath, [script, '--writer', JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`writer ended with ${code}: ${errors}`))));
  });
}

function inThread(writer: WriterTask): Promise<void> {
  const worker = new Worker(script, { workerData: { writer } });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`writer ended with ${code}`))));
  });
}

/** Runs the writer until it has reported `reports` writes, kills it, and answers the last one reported. */
function killed(task: WriterTask, reports: number): Promise<number> {
  const child = spawn(process.execPath, [script, '--writer', JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.split('\n').length > reports) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // The last line may be cut off; then it was not reported.
    child.on('close', () => resolve(Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1))));
  });
}

describe.each(['filesystem', 'sqlite'] as const)('%s', (kind) => {
  const at = (name: string) => join(directory, `${kind}-${name}`, ...(kind === 'sqlite' ? ['sessions.db'] : []));

  async function counters(path: string): Promise<number[]> {
    const store = openStore(kind, path);
    const found = await Promise.all(KEYS.map(async (key) => Number(text((await store.read(key))!.bytes))));
    await store.close?.();
    return found;
  }

  async function reset(path: string): Promise<void> {
    const store = openStore(kind, path);
    for (const key of KEYS) await store.write(key, utf8('0'), Date.now() + 10 * MINUTE, undefined);
    await store.close?.();
  }

  test.each([
    { how: 'processes', start: inProcess, writers: 3 },
    { how: 'threads', start: inThread, writers: 2 },
  ])('$writers $how lose no write', async ({ how, start, writers }) => {
    const path = at(how);
    await reset(path);
    const rounds = 60;
    await Promise.all(
      Array.from({ length: writers }, () => start({ kind, path, task: 'increment', keys: KEYS, rounds })),
    );
    expect(await counters(path)).toEqual(KEYS.map(() => writers * rounds));
  });

  test('a process that is killed loses no answered creation, and stops nobody', async () => {
    const path = at('killed');
    const last = await killed({ kind, path, task: 'create', keys: ['session'], rounds: 1_000_000 }, 150);
    expect(last).toBeGreaterThanOrEqual(149);
    const store = openStore(kind, path);
    for (let n = 0; n <= last; n++) expect(text((await store.read(`session:${n}`))!.bytes)).toBe(String(n));
    // What it was writing when it died is there or not, and can be written.
    const result = await store.write(`session:${last + 1}`, utf8('mine'), Date.now() + MINUTE, undefined);
    expect(typeof result === 'object' ? text(result.conflict.bytes) : result).toBeOneOf(['written', String(last + 1)]);
    await store.close?.();
  });

  test('a process that is killed while it updates loses no answered update, and leaves no lock', async () => {
    for (let round = 0; round < 3; round++) {
      const path = at(`updating-${round}`);
      const last = await killed({ kind, path, task: 'count', keys: ['counter'], rounds: 1_000_000 }, 40 + 7 * round);
      const store = openStore(kind, path);
      const counted = Number(text((await store.read('counter'))!.bytes));
      expect(counted).toBeOneOf([last, last + 1]);
      await increment(store, 'counter');
      expect(Number(text((await store.read('counter'))!.bytes))).toBe(counted + 1);
      await store.close?.();
    }
  });
});

/** A process that has a lock, killed by the time this resolves. */
async function killedHolder(lock: string, reaped: boolean): Promise<{ release(): void }> {
  const task: WriterTask = { kind: 'filesystem', path: lock, task: 'hold', keys: [], rounds: 0 };
  const args = [script, '--writer', JSON.stringify(task)];
  // The shell becomes a program that does not ask how its children ended, so that they stay in the table of processes.
  const child = reaped
    ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn('sh', ['-c', '"$@" & exec sleep 600', 'sh', process.execPath, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
  const [output] = await once(child.stdout!, 'data');
  const pid = Number(output);
  process.kill(pid, 'SIGKILL');
  if (reaped) await once(child, 'exit');
  else while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) await new Promise(setImmediate);
  return { release: () => void child.kill('SIGKILL') };
}

const NO_PROC = existsSync('/proc/self/stat') ? '' : ' (skipped: no /proc)';

describe('the lock of a process that is killed while it has it', () => {
  test.each([
    { how: 'at once', reaped: true },
    ...(NO_PROC ? [] : [{ how: 'also while its parent has not noticed', reaped: false }]),
  ])(`is another's $how, long before one whose owner nobody knows${NO_PROC}`, async ({ reaped }) => {
    const paths = (name: string) => {
      const lock = join(directory, `${name}-${reaped}`);
      return { lock, guard: `${lock}.guard` };
    };
    const order: string[] = [];
    const take = (name: string) => withFileLock(paths(name), 30_000, async () => order.push(name));
    const holder = await killedHolder(paths('killed').lock, reaped);
    try {
      // Whose process cannot be asked for.
      writeFileSync(paths('of another machine').lock, 'elsewhere/boot/pid:[1] 1 1 token');
      const before = take('of another machine');
      // If the other had to wait as long, it would be the later one by this.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await Promise.all([before, take('killed')]);
      expect(order).toEqual(['killed', 'of another machine']);
    } finally {
      holder.release();
    }
  });
});
