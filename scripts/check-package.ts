/** What is published: the export map, how tools resolve it, its types in both formats, and what nothing uses any more. */
import { exportProblems } from './exports.ts';
import { pack } from './pack.ts';
import { holds, type Outcome, reported, run } from './run.ts';

export async function checkExports(): Promise<Outcome> {
  return reported(
    exportProblems().map((problem) => `package.json exports: ${problem}; \`npm run exports\` rewrites it`),
  );
}

export async function checkPublint(): Promise<Outcome> {
  return holds('publint', ['run', await pack(), '--strict']);
}

/** node16: what resolves by `main` alone is older than any Node this package runs on. The table is long: only when it fails. */
export async function checkTypesResolve(): Promise<Outcome> {
  const args = [await pack(), '--profile', 'node16', '--no-emoji', '--format', 'ascii'];
  const { code, stdout } = await run('attw', args, { capture: true });
  if (code === 0) return { passed: 1, failed: 0 };
  console.log(stdout);
  return { passed: 0, failed: 1 };
}

export async function checkUnused(): Promise<Outcome> {
  return holds('knip', ['--no-progress']);
}

if (import.meta.main) {
  let failed = 0;
  for (const check of [checkExports, checkPublint, checkTypesResolve, checkUnused]) failed += (await check()).failed;
  process.exitCode = failed === 0 ? 0 : 1;
}
