/** Starts an example as its reader does, and stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ensureBuilt, ROOT } from './built.ts';

export interface Started {
  readonly url: string;
  /** What the program wrote so far. */
  output(): string;
  /** @returns the exit code; null when the signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A program that ended before it listened. */
export class NotStarted extends Error {}

const running = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => once(child, 'close')));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own, gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flacon-example-'));
  folders.push(folder);
  return folder;
}

/**
 * @param program relative to `examples/`
 * @param env besides PATH; PORT is 0 unless it is given
 * @param cwd where the program runs; a folder of its own when absent
 * @throws NotStarted with what it wrote
 */
export async function start(
  program: string,
  env: Record<string, string> = {},
  cwd = temporaryFolder(),
): Promise<Started> {
  await ensureBuilt();
  const child = spawn(process.execPath, [join(ROOT, 'examples', program)], {
    cwd,
    env: { PATH: process.env.PATH ?? '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const collect = (text: string) => {
      output += text;
      const found = /^listening on (http:\S+)$/m.exec(output);
      if (found?.[1]) resolve(found[1]);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    ended.then((code) => reject(new NotStarted(`${program} ended with ${code}:\n${output}`)));
  });
  return {
    url,
    output: () => output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
