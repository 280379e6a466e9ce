/**
 * Parallel requests of one visitor in a process of their own, for the tests of stores that several processes share. `process`
 * starts it; the store is named by its module, so that every store with a URL can be tested so.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createSessionInterface } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { Visitor } from '../../src/testing/visitor.ts';

export interface SessionWriterTask {
  /** Below `src/`: `stores/redis.ts`. */
  readonly module: string;
  /** The class that it exports. */
  readonly store: string;
  /** What its constructor gets. JSON. */
  readonly options: object;
  /** The visitor's cookie. */
  readonly cookie: string;
  /** `key`: each request sets a key of its own. `count`: each raises `n` by one. */
  readonly task: 'key' | 'count';
  /** The numbers of the requests. */
  readonly from: number;
  readonly to: number;
}

/** All requests at once, after they have all read the session. */
export async function write(store: SessionStore, { cookie, task, from, to }: SessionWriterTask): Promise<void> {
  const sessions = createSessionInterface({ store });
  const requests = Array.from({ length: to - from }, (_, i) =>
    new Visitor(sessions, cookie).visit(async (session) => {
      session.get('n');
      await new Promise((resolve) => setImmediate(resolve));
      if (task === 'key') session.set(`key${from + i}`, from + i);
      else session.update<number>('n', (n) => (n ?? 0) + 1);
    }),
  );
  await Promise.all(requests);
}

/** Resolves when that process has done its requests. */
export function inProcess(task: SessionWriterTask): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['--session-writer', JSON.stringify(task)]);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`session writer ended with ${code}`))));
  });
}

if (process.argv[2] === '--session-writer') {
  const task = JSON.parse(process.argv[3]!) as SessionWriterTask;
  const module = (await import(new URL(`../../src/${task.module}`, import.meta.url).href)) as Record<
    string,
    new (
      options: object,
    ) => SessionStore
  >;
  const store = new module[task.store]!(task.options);
  await write(store, task);
  await store.close?.();
}
