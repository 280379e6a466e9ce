import type { KnipConfig } from 'knip';
import { publicFiles } from './scripts/public-files.ts';

export default {
  entry: [
    ...publicFiles().map(({ name }) => `src/${name}.ts`),
    'scripts/*.{ts,mjs}',
    'scripts/tarball/load.cjs',
    'examples/**/*.ts',
    'test/**/*.test.ts',
    'test/**/*-process.ts',
    'test/types/*.ts',
    // Each is the program of a runtime.
    'test/runtimes/*.ts',
  ],
  project: ['src/**/*.ts', 'scripts/**', 'test/**/*.ts', 'examples/**/*.ts'],
  ignore: ['examples/{astro,nestjs,nextjs,react-router,sveltekit}/**'],
  ignoreExportsUsedInFile: true,
  // The servers and programs of the system that tests start are none of npm's.
  exclude: ['binaries'],
  // Called by the name of its command, `attw`.
  ignoreDependencies: ['@arethetypeswrong/cli'],
} satisfies KnipConfig;
