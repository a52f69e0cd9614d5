import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

// pnpm test:browser: the tests that need a browser, which they unpack and start themselves.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['packages/*/test/browser/*.test.ts'], exclude: [] },
});
