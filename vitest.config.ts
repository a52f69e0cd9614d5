import { configDefaults, defineConfig } from 'vitest/config';

const report = process.env.CAMBIUM_TEST_REPORT;

// `source` first: tests run from TypeScript, across packages, with no build.
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'packages/*/test/browser/**'], // pnpm test:browser
    pool: 'forks',
    globalSetup: ['scripts/test-scratch.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // the file is what .ci/run counts the tests from
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
