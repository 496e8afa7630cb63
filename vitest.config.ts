import { defineConfig } from 'vitest/config';

const conditions = ['@canopy/source', 'node', 'import', 'module', 'default'];
const source = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/**
 * After so long a test hangs. Not a measure of speed: on an idle machine no test takes a tenth of it, and
 * a test must not fail because the machine is busy.
 */
const hangAfterMs = 300_000;

/** Tests of a minute and more, which `npm run test:long` runs. */
const long = [
  'bench/src/measure/forecast.test.ts',
  'cli/src/operating.test.ts',
  'cli/src/upgrade.test.ts',
  'pocketic-tests/src/large-model.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          // Files share a process and what they import; none changes what it shares.
          isolate: false,
          include: ['*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'scripts/**/*.test.mjs'],
          exclude: ['pocketic-tests/**', '**/node_modules/**', '**/dist/**', ...long],
          testTimeout: hangAfterMs,
          hookTimeout: hangAfterMs,
        },
      },
      {
        ...source,
        test: {
          name: 'end to end',
          include: ['pocketic-tests/{src,faults}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...long],
          globalSetup: 'pocketic-tests/src/server.ts',
          testTimeout: 2 * hangAfterMs,
          hookTimeout: 2 * hangAfterMs,
        },
      },
      {
        ...source,
        test: {
          name: 'long',
          include: long,
          globalSetup: 'pocketic-tests/src/server.ts',
          testTimeout: 2 * hangAfterMs,
          hookTimeout: 2 * hangAfterMs,
        },
      },
    ],
  },
});
