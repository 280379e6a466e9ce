/**
 * Other versions of packages than this repository has: installed from a package.json and its lock file into a cache folder
 * outside of it (FLACON_CACHE, else the user's own), once, until the lock file changes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensureBuilt, ROOT } from '../examples/built.ts';

const CACHE = process.env.FLACON_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flacon');
const STALE_MS = 600_000;

/** A folder of its own, in which the packages are found, and this package as it is built. */
export interface Installation {
  readonly folder: string;
  remove(): void;
}

/** @param source a folder with package.json and package-lock.json */
export async function install(source: string): Promise<Installation> {
  const lock = readFileSync(join(source, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const cache = join(CACHE, `${basename(source)}-${digest}`);
  await once(cache, async () => {
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(source, name), join(cache, name));
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: cache });
  });
  await ensureBuilt();
  const folder = mkdtempSync(join(cache, 'run-'));
  const copy = join(folder, 'node_modules', 'flacon');
  for (const name of ['package.json', 'dist']) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Test files run side by side: one makes it, the others wait. */
async function once(path: string, make: () => Promise<void>): Promise<void> {
  const done = join(path, '.complete');
  const lock = `${path}.lock`;
  mkdirSync(CACHE, { recursive: true });
  while (!existsSync(done)) {
    try {
      mkdirSync(lock);
    } catch {
      // Left behind by a run that was killed.
      if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > STALE_MS) rmSync(lock, { recursive: true });
      await sleep(200);
      continue;
    }
    try {
      if (existsSync(done)) break;
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      await make();
      writeFileSync(done, '');
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}
