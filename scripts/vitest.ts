/** Runs vitest and counts by its JSON report. A test that did not run is a failure, unless it says why and this is no CI. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, run } from './run.ts';

/**
 * The only declared skip: a test (or its `describe`) whose title says what is missing, as in
 * `describe.skipIf(!url)('redis (skipped: no server; set REDIS_URL)')`.
 */
const DECLARED = /\(skipped: [^)]+\)/;

interface Report {
  testResults: {
    name: string;
    status: 'passed' | 'failed';
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** @param args further arguments for `vitest run` */
export async function runVitest(args: readonly string[] = []): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'flacon-vitest-'));
  const file = join(folder, 'report.json');
  try {
    const { code } = await run('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...args,
    ]);
    const outcome = count(JSON.parse(readFileSync(file, 'utf8')));
    // An error outside of any test, or no test at all.
    if (code !== 0 && outcome.failed === 0) outcome.failed = 1;
    return outcome;
  } catch (error) {
    console.error(`vitest left no report: ${error}`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(report: Report): Outcome {
  let passed = 0;
  let failed = 0;
  for (const { name, status, assertionResults } of report.testResults) {
    const failedBefore = failed;
    for (const test of assertionResults) {
      if (test.status === 'passed') passed++;
      else if (test.status === 'failed') failed++;
      else if (!process.env.CI && DECLARED.test(test.fullName)) console.log(`not run: ${test.fullName}`);
      else {
        failed++;
        console.error(`${test.status}: ${test.fullName} (${name}): not run, which counts as failed`);
      }
    }
    // The file itself could not be loaded, or a hook failed.
    if (status === 'failed' && failed === failedBefore) failed++;
  }
  return { passed, failed };
}
