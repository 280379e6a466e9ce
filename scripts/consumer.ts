/** A folder in which nothing but the packed package is installed, as a user would have it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './pack.ts';
import { run } from './run.ts';

/**
 * @param use is given the folder; it is removed afterwards
 * @throws when the tarball cannot be installed
 */
export async function withConsumer<R>(use: (folder: string) => Promise<R>): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'flacon-consumer-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    const { code } = await run('npm', [...args, await pack()], { cwd: folder, capture: true });
    if (code !== 0) throw new Error('npm install of the tarball failed');
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
