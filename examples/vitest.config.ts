import { defineConfig } from 'vitest/config';

/** The examples run as a reader would run them: on the built package, found by its name. */
export default defineConfig({
  test: {
    dir: 'examples',
    include: ['**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
