import { defineConfig } from 'tsdown';
import { publicFiles } from './scripts/public-files.ts';

/**
 * One build for every public file, in both formats. What two of them share (the error classes, the engine) becomes a module of
 * its own in `dist/shared/`, one in each format, so that it is the same for every subpath. Bundled rather than file by file: the
 * express adapter then loads in 21 ms instead of 36.
 */
const shared = {
  fixedExtension: false,
  hash: false,
  report: false,
  platform: 'node',
  target: 'node20.19',
  failOnWarn: true,
  // A slow machine is no reason to fail.
  checks: { bundlerTimings: false },
  // Advice against CommonJS, and that TypeScript 7 has no stable API yet: both are known.
  suppressWarnings: [/We recommend using the ESM format/, /TypeScript 7\.0 does not yet have a stable API/],
} as const;

/** The command is a program: one format, no types, and nothing that it shares with what is imported. */
const command = defineConfig({
  ...shared,
  deps: { onlyBundle: [] },
  suppressWarnings: [...shared.suppressWarnings],
  entry: { 'cli/main': 'src/cli/main.ts' },
  format: 'esm',
  dts: false,
  clean: false,
  outputOptions: (options) => ({ ...options, chunkFileNames: 'cli/[name].js' }),
});

const library = defineConfig({
  ...shared,
  deps: { onlyBundle: [] },
  suppressWarnings: [...shared.suppressWarnings],
  entry: Object.fromEntries(publicFiles().map(({ name }) => [name, `src/${name}.ts`])),
  format: ['esm', 'cjs'],
  dts: true,
  // `declare module 'flacon'` is an error in a program that has no types of `flacon` itself, so those of an adapter bring them.
  banner({ fileName }) {
    const [, common] = /^adapters\/[\w-]+\.d\.(c?)ts$/.exec(fileName) ?? [];
    return common === undefined ? undefined : { dts: `import '../index.${common}js';` };
  },
  outputOptions(options) {
    const { chunkFileNames = '[name].js' } = options;
    const nameOf = typeof chunkFileNames === 'function' ? chunkFileNames : () => chunkFileNames;
    return { ...options, chunkFileNames: (chunk) => `shared/${nameOf(chunk)}` };
  },
});

export default [library, command];
