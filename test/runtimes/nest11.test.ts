/** The adapter for NestJS, on Nest 11; test/adapters has it on the version of this repository. */
import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../examples/built.ts';
import { type Installation, install } from './installed.ts';

const PROGRAM = 'test/runtimes/nest11/run.mjs';
const NEEDED = ['nestjs-features.ts', ...['nestjs', 'decorate'].map((name) => `frameworks/${name}.ts`)];

let nest: Installation;
beforeAll(async () => {
  nest = await install(join(ROOT, 'test/runtimes/nest11'));
}, 300_000);
afterAll(() => nest?.remove());

test('all of its tests pass', { timeout: 300_000 }, async () => {
  for (const file of [PROGRAM, ...NEEDED.map((name) => `test/adapters/${name}`)]) {
    cpSync(join(ROOT, file), join(nest.folder, file));
  }
  writeFileSync(join(nest.folder, 'package.json'), '{ "type": "module" }\n');
  const args = ['--disable-warning=ExperimentalWarning', '--test-reporter=tap', PROGRAM];
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: nest.folder, env, maxBuffer: 2 ** 26 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
  const failures = output.match(/^ *not ok [\s\S]*?^ *\.\.\.$/gm) ?? [];
  expect(failures.slice(0, 3).join('\n')).toBe('');
  expect(Number(/^# pass (\d+)$/m.exec(output)?.[1] ?? 0), output.slice(-2000)).toBeGreaterThan(500);
  expect(output).toMatch(/^# fail 0$/m);
});
