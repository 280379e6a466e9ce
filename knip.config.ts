import type { KnipConfig } from 'knip';
import { publicFiles } from './scripts/public-files.ts';

export default {
  entry: [
    ...publicFiles().map(({ name }) => `src/${name}.ts`),
    'scripts/*.{ts,mjs}',
    'scripts/tarball/load.cjs',
    'examples/**/*.ts',
    'test/**/*.test.ts',
    'test/types/*.ts',
  ],
  project: ['src/**/*.ts', 'scripts/**', 'test/**/*.ts', 'examples/**/*.ts'],
  ignoreExportsUsedInFile: true,
  // Puts Node 24 on the PATH of `npm run`.
  ignoreDependencies: ['node'],
} satisfies KnipConfig;
