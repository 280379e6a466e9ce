/**
 * The vectors that this package treats differently from Python on purpose, by name, each with the surprise that it ends
 * (docs/surprises.md). Rules decide, so that the same tests hold on another set of vectors; the names are printed.
 */
import { afterAll } from 'vitest';

const seen = new Map<string, { why: string; names: string[] }>();

/** Records that `name` of `file` is treated differently, and why. Call it from the test of that vector. */
export function differs(file: string, name: string, quirk: string, why: string): void {
  const key = `${file} ${quirk}`;
  const entry = seen.get(key) ?? { why, names: [] };
  entry.names.push(name);
  seen.set(key, entry);
}

afterAll(() => {
  for (const [key, { why, names }] of seen) {
    process.stdout.write(`treated differently: ${key} (${why})\n${names.map((name) => `  ${name}\n`).join('')}`);
  }
  seen.clear();
});
