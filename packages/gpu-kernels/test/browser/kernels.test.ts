import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KernelName, kernels } from '../../src/index.ts';
import type { Page } from './page/page.ts';
import { serve } from './serve.ts';
import { startChromium } from './start-chromium.ts';

declare const page: Page; // in the browser, where functions handed to `tab.evaluate` run

const browser = await startChromium();
const served = await serve('test/browser/page');

describe(`in Chromium ${browser.version()}`, () => {
  let tab: Tab;
  const complaints: string[] = [];
  beforeAll(async () => {
    tab = await browser.newPage();
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(served.address);
    await tab
      .waitForFunction(() => 'page' in globalThis)
      .catch((cause: unknown) => {
        throw new Error(`The page did not start: ${complaints.join('; ') || 'it threw nothing'}.`, { cause });
      });
  });
  afterAll(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
  });

  test('every kernel of the registry is there', async () => {
    expect(await tab.evaluate(() => page.names())).toEqual(Object.keys(kernels));
  });

  test.each(Object.keys(kernels) as KernelName[])('%s says the same as the reference loops', async (name) => {
    const comparisons = await tab.evaluate((kernel) => page.compare(kernel), name);
    expect(comparisons.length).toBeGreaterThan(11); // a sample, ten random runs, a folded one
    for (const { error, tolerance, unwritten, overruns, shape, expectedShape } of comparisons) {
      expect(shape).toEqual(expectedShape);
      expect({ unwritten, overruns }).toEqual({ unwritten: 0, overruns: 0 });
      expect(error).toBeLessThanOrEqual(tolerance);
    }
  });

  test('a software adapter is opened because it was asked for, and never else', async () => {
    expect((await tab.evaluate(() => page.describe())).software).toBe(true);
    expect(await tab.evaluate(() => page.refusal())).toEqual([
      { adapter: expect.any(String), reason: 'is a software adapter, which is opened only with prefer: "software"' },
    ]);
  });

  test('nothing was thrown outside of these tests', () => {
    expect(complaints).toEqual([]);
  });
});
