import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@canopy/source'] },
  ssr: { resolve: { conditions: ['@canopy/source'] } },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['*/src/**/*.test.ts'],
    exclude: ['pocketic-tests/**', '**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
