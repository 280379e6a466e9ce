/** docs/testing.md, followed from an empty folder: its tests pass. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Page } from '../../adapters/page.ts';
import { browserPath, canSkip } from '../../browser/chromium.ts';

const page = new Page('testing.md');
beforeAll(() => page.prepare());
afterAll(() => page.remove());

const passing = (count: number) => `# tests ${count}\n# suites 0\n# pass ${count}\n# fail 0`;

test('every snippet is a file', () => expect([...page.files.keys()]).toHaveLength(page.snippets));

test('they compile together', () => {
  const options = ['--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--strict'];
  expect(page.compile(...options, '--allowImportingTsExtensions', '--skipLibCheck', ...page.files.keys())).toBe('');
});

test.each([
  ['account.test.ts', 2],
  ['agent.test.ts', 1],
  ['fastify.test.ts', 1],
  ['hono.test.ts', 1],
  ['cart.test.ts', 1],
  ['faults.test.ts', 2],
] as const)('%s', (file, count) => expect(page.test(file)).toContain(passing(count)));

test.skipIf(canSkip)(
  `browser.test.ts${canSkip ? ' (skipped: no chromium on the PATH; set CHROMIUM_PATH)' : ''}`,
  () => {
    const here = JSON.stringify({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
    page.change('browser.test.ts', (code) => code.replace("{ channel: 'chrome' }", here));
    expect(page.test('browser.test.ts')).toContain(passing(1));
  },
);
