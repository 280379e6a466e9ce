/** Bun, Deno and workerd for this platform, from npm: what test/runtimes/programs/ pins. Their install scripts do not run. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { ROOT } from './public-files.ts';
import { type Missing, missing } from './release-lines.ts';
import { run } from './run.ts';

export type OtherRuntime = 'bun' | 'deno' | 'workerd';

const FOLDER = `${ROOT}test/runtimes/programs`;
/** Inside the package for one platform. */
const PROGRAMS: Record<OtherRuntime, string> = { bun: 'bin/bun', deno: 'deno', workerd: 'bin/workerd' };

let installed: Promise<boolean> | undefined;

/** The path of the program. */
export async function otherRuntime(name: OtherRuntime): Promise<string | Missing> {
  installed ??= install();
  return ((await installed) && (await programOf(name))) || missing(name, name, FOLDER);
}

async function install(): Promise<boolean> {
  const lock = `${FOLDER}/node_modules/.package-lock.json`;
  if (existsSync(lock) && statSync(lock).mtimeMs >= statSync(`${FOLDER}/package-lock.json`).mtimeMs) return true;
  const args = ['ci', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];
  return (await run('npm', args, { cwd: FOLDER, capture: true, quiet: !process.env.CI })).code === 0;
}

/** npm installs more than one for a platform where it cannot tell the C libraries apart: the one that runs is right. */
async function programOf(name: OtherRuntime): Promise<string | undefined> {
  const manifest = readFileSync(`${FOLDER}/node_modules/${name}/package.json`, 'utf8');
  const { optionalDependencies } = JSON.parse(manifest) as { optionalDependencies: Record<string, string> };
  for (const platform of Object.keys(optionalDependencies)) {
    const program = `${FOLDER}/node_modules/${platform}/${PROGRAMS[name]}${process.platform === 'win32' ? '.exe' : ''}`;
    if (!existsSync(program)) continue;
    const { code } = await run(program, ['--version'], { capture: true, quiet: true });
    if (code === 0) return program;
  }
  return undefined;
}
