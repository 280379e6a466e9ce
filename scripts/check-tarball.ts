/**
 * Installs the packed package into an empty folder and loads every export with `require` and `import`, on this Node and on
 * every release line that the package promises. An entry that is made with a framework has to name it where it is missing.
 */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withConsumer } from './consumer.ts';
import { MADE_WITH } from './made-with.ts';
import { publicFiles, ROOT } from './public-files.ts';
import { nodeOf, RELEASE_LINES } from './release-lines.ts';
import { type Outcome, run } from './run.ts';

/** What a user finds in `node_modules/flacon`. */
const CONTENTS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'];

export function checkTarball(): Promise<Outcome> {
  return withConsumer(async (folder) => {
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
  });
}

async function loadOn(line: number, folder: string): Promise<Outcome> {
  const node = await nodeOf(line, folder);
  if (typeof node === 'string') return loadWith(node, folder, line);
  console.log(node.why);
  return { passed: 0, failed: node.isFailure ? 1 : 0 };
}

async function loadWith(node: string, folder: string, line?: number): Promise<Outcome> {
  const entries = publicFiles().map(({ subpath }) => ({
    specifier: `flacon${subpath.slice(1)}`,
    madeWith: MADE_WITH[subpath] ?? [],
  }));
  const { code, stdout } = await run(node, ['load.cjs', JSON.stringify(entries)], { cwd: folder, capture: true });
  if (code !== 0 || stdout === '') return failure(`${node} could not run the check`);
  const { version, passed, problems } = JSON.parse(stdout) as { version: string; passed: number; problems: string[] };
  if (line !== undefined && !version.startsWith(`v${line}.`)) return failure(`Node ${line}: got ${version} instead`);
  console.log(`Node ${version}: ${passed} passed, ${problems.length} failed`);
  for (const problem of problems) console.error(`  ${problem}`);
  return { passed, failed: problems.length };
}

function failure(why: string): Outcome {
  console.error(why);
  return { passed: 0, failed: 1 };
}

if (import.meta.main) {
  const { failed } = await checkTarball();
  process.exitCode = failed === 0 ? 0 : 1;
}
