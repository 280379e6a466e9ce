/** The examples run on the built package, as a reader's program would. This builds it where that was forgotten. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Held by whoever is building: test files run in parallel. */
const LOCK = join(ROOT, 'node_modules', '.flacon-build');
const STALE_MS = 120_000;

/** Builds when `dist/` is missing or older than the sources; waits when somebody else is at it. */
export async function ensureBuilt(): Promise<void> {
  while (existsSync(LOCK) || !isFresh()) {
    if (!takeLock()) {
      await sleep(100);
      continue;
    }
    try {
      if (!isFresh()) build();
    } finally {
      rmdirSync(LOCK);
    }
  }
}

function isFresh(): boolean {
  const built = join(ROOT, 'dist', 'index.js');
  return existsSync(built) && statSync(built).mtimeMs >= newestSource();
}

function newestSource(): number {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return Math.max(...files.map((file) => statSync(join(ROOT, 'src', file)).mtimeMs));
}

function takeLock(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    // Left behind by one that was killed.
    if (existsSync(LOCK) && Date.now() - statSync(LOCK).mtimeMs > STALE_MS) rmdirSync(LOCK);
    return false;
  }
}

function build(): void {
  const tsdown = join(ROOT, 'node_modules', 'tsdown', 'dist', 'run.mjs');
  execFileSync(process.execPath, [tsdown], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}
