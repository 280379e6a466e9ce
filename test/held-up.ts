/** How long a process stands still while it waits for a locked file, beside how long SQLite's own waiting makes it stand. */
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';

const TRIES = 5;

/** The longest time, in milliseconds, for which nothing else could run in this process while the work was done. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
  } finally {
    running = false;
    turn();
  }
  return longest;
}

/** A write for which SQLite waits by itself, for a tenth of a second, while the file is locked. */
async function waitInSqlite(path: string): Promise<void> {
  const [owner, writer] = [new DatabaseSync(path), new DatabaseSync(path)];
  owner.exec('BEGIN EXCLUSIVE');
  writer.exec('PRAGMA busy_timeout = 100');
  expect(() => writer.exec('BEGIN IMMEDIATE')).toThrow(/locked/);
  owner.exec('COMMIT');
  owner.close();
  writer.close();
}

/** That the work holds up this process less than half as long as SQLite would, in one of some tries. */
export async function expectNotHeldUp(path: string, work: () => Promise<unknown>): Promise<void> {
  const factors: string[] = [];
  for (let n = 0; n < TRIES; n++) {
    const ratio = (await longestTurn(work)) / (await longestTurn(() => waitInSqlite(path)));
    if (ratio < 0.5) return;
    factors.push(ratio.toFixed(2));
  }
  expect.fail(`the process was held up ${factors.join(', ')} times as long as by SQLite itself`);
}
