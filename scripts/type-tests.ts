/** The type tests: each `@ts-expect-error` in test/types is one, checked by the compiler against the built declarations. */
import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from './public-files.ts';
import { type Outcome, run } from './run.ts';

export async function runTypeTests(): Promise<Outcome> {
  let expectations = 0;
  for (const file of readdirSync(`${ROOT}test/types`).filter((name) => name.endsWith('.ts'))) {
    expectations += readFileSync(`${ROOT}test/types/${file}`, 'utf8').match(/^\s*\/\/ @ts-expect-error/gm)?.length ?? 0;
  }
  const { code, stdout } = await run('tsc', ['-p', 'test/types', '--pretty', 'false'], { capture: true });
  process.stdout.write(stdout);
  const errors = stdout.match(/^\S.*: error TS\d+/gm) ?? [];
  const unmet = errors.filter((line) => line.endsWith('TS2578')).length;
  const failed = errors.length || (code === 0 && expectations > 0 ? 0 : 1);
  return { passed: expectations - unmet, failed };
}

if (import.meta.main) {
  const { passed, failed } = await runTypeTests();
  console.log(`type tests: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
