import { defineConfig } from 'vitest/config';

// Tests run on the sources: the `weft-source` condition of each package's exports, so no build is needed first.
export default defineConfig({
  ssr: { resolve: { conditions: ['weft-source'], externalConditions: ['weft-source'] } },
  resolve: { conditions: ['weft-source'] },
  // Where vitest runs the global setup.
  environments: { __vitest__: { resolve: { conditions: ['weft-source'], externalConditions: ['weft-source'] } } },
  test: {
    include: ['{libs,services}/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['./libs/testkit/src/vitest-global-setup.ts'],
    pool: 'forks',
    // On two cores, too: many tests wait for real time to pass.
    maxWorkers: 3,
    testTimeout: 40_000,
    hookTimeout: 120_000,
  },
});
