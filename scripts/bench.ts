/** `npm run bench`: the benchmarks have dependencies of their own (the peers they are compared with), installed on first use. */
import { existsSync, statSync } from 'node:fs';
import { ROOT } from './public-files.ts';
import { run } from './run.ts';

const folder = `${ROOT}benchmarks`;
const installed = `${folder}/node_modules/.package-lock.json`;

async function main(): Promise<number> {
  const stale = !existsSync(installed) || statSync(installed).mtimeMs < statSync(`${folder}/package-lock.json`).mtimeMs;
  if (stale) {
    const { code } = await run('npm', ['ci'], { cwd: folder });
    if (code !== 0) return code;
  }
  const { code } = await run('npm', ['start', '--silent', '--', ...process.argv.slice(2)], { cwd: folder });
  return code;
}

process.exitCode = await main();
