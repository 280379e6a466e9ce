/**
 * A writer that tests start as a process, or as a thread, of its own.
 *
 * `increment`: raises every counter of `keys` `rounds` times, as the engine does it: compare, write, and on a conflict try
 * again from what is there. `create` and `count`: writes for as long as it lives and reports every write after it was
 * answered, for a test that kills it. `hold`: reports its process id when it has the lock of a file, and keeps the lock.
 */
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { SessionStore } from '../../src/core/store.ts';
import { withFileLock } from '../../src/stores/file-lock.ts';
import { FilesystemStore } from '../../src/stores/filesystem.ts';
import { SqliteStore } from '../../src/stores/sqlite.ts';

export interface WriterTask {
  readonly kind: 'filesystem' | 'sqlite';
  readonly path: string;
  readonly task: 'increment' | 'create' | 'count' | 'hold';
  readonly keys: readonly string[];
  readonly rounds: number;
}

export function openStore(kind: WriterTask['kind'], path: string): SessionStore {
  return kind === 'sqlite' ? new SqliteStore({ path }) : new FilesystemStore({ directory: path, threshold: 0 });
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The number of conflicts on the way. */
export async function increment(store: SessionStore, key: string): Promise<number> {
  let current = await store.read(key);
  for (let conflicts = 0; ; conflicts++) {
    if (!current) throw new Error('the counter is gone');
    const next = utf8(String(Number(text(current.bytes)) + 1));
    const result = await store.write(key, next, Date.now() + 600_000, current.bytes);
    if (result === 'written') return conflicts;
    if (result === 'gone') throw new Error('the counter is gone');
    current = result.conflict;
  }
}

async function run({ kind, path, task, keys, rounds }: WriterTask): Promise<void> {
  const store = openStore(kind, path);
  const [key = 'key'] = keys;
  switch (task) {
    case 'increment':
      for (let round = 0; round < rounds; round++) for (const each of keys) await increment(store, each);
      break;
    case 'create':
      for (let n = 0; n < rounds; n++) {
        const result = await store.write(`${key}:${n}`, utf8(String(n)), Date.now() + 600_000, undefined);
        if (result === 'written') writeSync(1, `${n}\n`);
      }
      break;
    case 'count':
      await store.write(key, utf8('0'), Date.now() + 600_000, undefined);
      for (let n = 1; n < rounds; n++) {
        await increment(store, key);
        writeSync(1, `${n}\n`);
      }
      break;
    case 'hold':
      await withFileLock({ lock: path, guard: `${path}.guard` }, 1000, async () => {
        writeSync(1, `${process.pid}\n`);
        await new Promise((resolve) => setTimeout(resolve, 600_000));
      });
  }
  await store.close?.();
}

if (!isMainThread && workerData?.writer) {
  await run(workerData.writer as WriterTask);
  parentPort?.postMessage('done');
} else if (process.argv[2] === '--writer') {
  await run(JSON.parse(process.argv[3]!) as WriterTask);
}
