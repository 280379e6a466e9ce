/**
 * `npm test`: everything that has to hold, in order. It goes on after a step that fails, and ends with a table and one line,
 * `N passed, N failed`.
 */
import { checkBundles } from './check-bundles.ts';
import { checkLayers } from './check-layers.ts';
import { checkExports, checkPublint, checkTypesResolve, checkUnused } from './check-package.ts';
import { checkRuntimes } from './check-runtimes.ts';
import { checkTarball } from './check-tarball.ts';
import { holds, type Outcome, reported } from './run.ts';
import { runTypeTests } from './type-tests.ts';
import { runVitest } from './vitest.ts';

/** Tests that start the programs of examples/, on the built package. */
const EXAMPLES = ['test/examples/', 'test/browser/'];
/** Deadlines and servers that stand still are judged by the clock: these tests run one file at a time, beside nothing else. */
const FAULTS = ['test/faults/'];
/** Each installs, builds and starts an application of a framework: one after the other. */
const FRAMEWORKS = ['test/frameworks/'];

const STEPS: readonly (readonly [name: string, step: () => Promise<Outcome> | Outcome])[] = [
  ['build', () => holds('tsdown', [])],
  ['lint', () => holds('biome', ['check', '--error-on-warnings'])],
  ['types of src and test', () => holds('tsc', ['-p', '.'])],
  ['types of examples', () => holds('tsc', ['-p', 'examples'])],
  ['layers', () => reported(checkLayers().violations)],
  ['exports', checkExports],
  ['publint', checkPublint],
  ['attw', checkTypesResolve],
  ['knip', checkUnused],
  ['vitest', () => runVitest([...EXAMPLES, ...FAULTS, ...FRAMEWORKS].map((folder) => `--exclude=${folder}**`))],
  ['faults', () => runVitest([...FAULTS, '--no-file-parallelism'])],
  ['type tests', runTypeTests],
  ['tarball', checkTarball],
  ['runtimes', () => checkRuntimes()],
  ['bundles', () => checkBundles()],
  ['examples', () => runVitest(EXAMPLES)],
  ['frameworks', () => runVitest([...FRAMEWORKS, '--no-file-parallelism'])],
];

const rows: { name: string; outcome: Outcome; seconds: number }[] = [];
for (const [name, step] of STEPS) {
  console.log(`\n--- ${name}`);
  const start = performance.now();
  rows.push({ name, outcome: await attempt(step), seconds: (performance.now() - start) / 1000 });
}

console.log(`\n${'step'.padEnd(24)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(9)}`);
for (const { name, outcome, seconds } of rows) {
  const { passed, failed } = outcome;
  console.log(
    `${name.padEnd(24)}${String(passed).padStart(8)}${String(failed).padStart(8)}${seconds.toFixed(1).padStart(9)}`,
  );
}
const passed = rows.reduce((sum, { outcome }) => sum + outcome.passed, 0);
const failed = rows.reduce((sum, { outcome }) => sum + outcome.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function attempt(step: () => Promise<Outcome> | Outcome): Promise<Outcome> {
  try {
    return await step();
  } catch (error) {
    console.error(error);
    return { passed: 0, failed: 1 };
  }
}
