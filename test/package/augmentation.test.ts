/** A program that imports an adapter, and nothing else of the package, can say what its sessions hold. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publicFiles } from '../../scripts/public-files.ts';
import { ensureBuilt, ROOT } from '../examples/built.ts';

const folder = mkdtempSync(join(tmpdir(), 'flacon-augmentation-'));
const adapters = publicFiles().filter(({ name }) => name.startsWith('adapters/'));

beforeAll(async () => {
  await ensureBuilt();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'flacon'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('there are adapters', () => expect(adapters.length).toBeGreaterThan(10));

// One program for each, since one file that imports the package would do for all.
test.each(adapters)(
  '$name',
  ({ name }) => {
    const code = `import 'flacon/${name}';\ndeclare module 'flacon' { interface SessionData { visits: number } }\n`;
    writeFileSync(join(folder, 'import.ts'), code);
    writeFileSync(join(folder, 'require.cts'), code);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
    for (const file of ['import.ts', 'require.cts']) {
      let output = '';
      try {
        execFileSync(process.execPath, [tsc, ...options, file], { cwd: folder, encoding: 'utf8' });
      } catch (error) {
        output = (error as { stdout: string }).stdout;
      }
      expect(output).toBe('');
    }
  },
  60_000,
);
