/** Makes the tarball that users would install, once for all checks of one run. The build has to be there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

let packed: Promise<string> | undefined;

/** @returns the path of the tarball, in a temporary folder that is removed at the end of the process */
export function pack(): Promise<string> {
  packed ??= makeTarball();
  return packed;
}

async function makeTarball(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'flacon-pack-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { code, stdout } = await run('npm', args, { capture: true, quiet: true });
  if (code !== 0) throw new Error('npm pack failed; `npm pack --dry-run` shows why');
  return join(folder, tarballName(JSON.parse(stdout)));
}

/** npm 12 answers an object by package name where earlier ones answer a list. */
function tarballName(answer: Record<string, { filename: string }>): string {
  const [first] = Object.values(answer);
  if (!first) throw new Error('npm pack named no tarball');
  return first.filename;
}
