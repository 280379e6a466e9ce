/**
 * `npm run bench [name…] [--option…]`: the named files of `benchmarks/`, or all. They have dependencies of their own (what this
 * package is compared with), installed on first use.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { ROOT } from './public-files.ts';
import { run } from './run.ts';

const FOLDER = `${ROOT}benchmarks`;

/** What they share; no benchmark itself. */
const SHARED = ['report'];

async function install(): Promise<boolean> {
  const installed = `${FOLDER}/node_modules/.package-lock.json`;
  const fresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${FOLDER}/package-lock.json`).mtimeMs;
  return fresh || (await run('npm', ['ci'], { cwd: FOLDER })).code === 0;
}

async function main(args: readonly string[]): Promise<number> {
  const all = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => !SHARED.includes(name));
  const options = args.filter((arg) => arg.startsWith('-'));
  const named = args.filter((arg) => !arg.startsWith('-'));
  const unknown = named.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`);
    return 1;
  }
  if (!(await install())) return 1;

  let worst = 0;
  for (const name of named.length > 0 ? named : all) {
    console.log(`\n--- ${name}`);
    const { code } = await run(process.execPath, [`${name}.ts`, ...options], { cwd: FOLDER });
    worst = Math.max(worst, code);
  }
  return worst;
}

process.exitCode = await main(process.argv.slice(2));
