import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = fileURLToPath(new URL('./src/', import.meta.url));

/** Tests import the package by its own name and reach the sources: what a user writes is what is tested. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^flacon$/, replacement: `${src}index.ts` },
      { find: /^flacon\/flask$/, replacement: `${src}flask/index.ts` },
      { find: /^flacon\/(.+)$/, replacement: `${src}$1.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
