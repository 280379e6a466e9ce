import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lockFiles, missingPlatforms } from '../../scripts/complete-lock.ts';

test('a package for another platform is completed from its owner and its name', () => {
  const packages = {
    'node_modules/tool': {
      dev: true,
      optionalDependencies: { '@tool/linux-x64': '1.2.3', '@tool/darwin-arm64': '1.2.3', '@tool/speedup': '1.2.3' },
    },
    'node_modules/@tool/linux-x64': { version: '1.2.3' },
  };
  expect(missingPlatforms(packages)).toEqual({
    'node_modules/@tool/darwin-arm64': { version: '1.2.3', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
  });
});

test('what is installed inside its owner is not missing', () => {
  const packages = {
    'node_modules/a/node_modules/tool': {
      optionalDependencies: { 'tool-linux-x64': '1.2.3', 'tool-win32-x64': '1.2.3' },
    },
    'node_modules/a/node_modules/tool-linux-x64': { version: '1.2.3' },
    'node_modules/tool-win32-x64': { version: '1.2.3' },
  };
  expect(missingPlatforms(packages)).toEqual({});
});

test.each(lockFiles())('%s is one that `npm ci` takes: `npm run lock` completes it', (file) => {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  expect(missingPlatforms(packages)).toEqual({});
});
