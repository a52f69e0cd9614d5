import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportRuns } from '../src/report/report-runs.ts';
import { openBrowser } from './support/open-browser.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { writeSyntheticRun } from './support/synthetic-run.ts';

const opened = await openBrowser();
const missing = 'missing' in opened ? opened.missing : '';
const browser = 'missing' in opened ? null : opened;

// where the reason is not empty there is no browser on this machine
describe.skipIf(browser === null)(`the report in a browser${missing && ` (${missing})`}`, () => {
  let address = '';
  beforeAll(async () => {
    address = await reportAddress('');
  });
  afterAll(() => browser?.close());

  test('opens from disk without a request or an error, and every section link leads to its section', async () => {
    await withPage(address, {}, async (page, troubles) => {
      const links = await page.locator('nav ol a').all();
      expect(links.length).toBe(12);
      for (const link of links) {
        await link.click();
        const id = (await link.getAttribute('href')) ?? '';
        await expectInView(page, id);
      }
      await page.locator('nav a.brand').click();
      await expectInView(page, '#top');
      expect(troubles).toEqual([]);
    });
  });

  test('its appearance follows the system, and the button goes through light and dark', async () => {
    await withPage(address, { colorScheme: 'dark' }, async (page) => {
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const line = () =>
        page.evaluate(() => getComputedStyle(document.querySelector('[stroke="var(--series-1)"]')!).stroke);
      const dark = await paper();
      expect(dark).toBe('rgb(20, 23, 28)');
      expect(await line()).toBe('rgb(110, 163, 255)');
      await page.locator('#theme').click();
      expect(await paper()).toBe('rgb(255, 255, 255)');
      expect(await line()).toBe('rgb(47, 107, 208)');
      await page.locator('#theme').click();
      expect(await paper()).toBe(dark);
      await page.reload();
      expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    });
  });

  test('the figures show overlay, map or image, by mouse and by keyboard', async () => {
    await withPage(address, {}, async (page) => {
      const opacity = () => page.evaluate(() => getComputedStyle(document.querySelector('.grid .heat')!).opacity);
      expect(await opacity()).toBe('0.6');
      await page.locator('.segments').getByText('Map', { exact: true }).click();
      expect(await opacity()).toBe('1');
      await page.keyboard.press('ArrowRight');
      expect(await opacity()).toBe('0');
      expect(await page.locator('#view-image').isChecked()).toBe(true);
    });
  });

  test('a picture of a figure leads to its image, which opens', async () => {
    await withPage(address, {}, async (page) => {
      for (const [row, column, card] of [
        [0, 0, 1],
        [2, 1, 2],
        [1, 2, 3],
      ]) {
        await page.locator('#figures table').first().locator('tr').nth(row).locator('a').nth(column).click();
        await expectInView(page, `#image-${card}`);
        // the page opens it when it hears that the address has changed
        await page.locator(`#image-${card}[open]`).waitFor({ state: 'attached', timeout: 5_000 });
      }
    });
  });

  test('images are filtered by class, put in order, opened and closed', async () => {
    await withPage(address, {}, async (page) => {
      const shown = () => page.locator('#image-cards > details:visible').count();
      await page.selectOption('#class-filter', 'crosshatched');
      expect(await shown()).toBe(1);
      expect(await page.locator('#image-count').textContent()).toBe('1 of 3 images');
      await page.selectOption('#class-filter', '');
      expect(await shown()).toBe(3);
      for (const key of ['disagreement', 'outlying']) {
        await page.selectOption('#image-order', key);
        const values = await page
          .locator('#image-cards > details')
          .evaluateAll((cards, name) => cards.map((card) => Number(card.getAttribute(`data-${name}`))), key);
        expect(values).toEqual(values.toSorted((a, b) => b - a));
      }
      await page.locator('#open-all').click();
      expect(await page.locator('#image-cards > details[open]').count()).toBe(3);
      await page.locator('#open-all').click();
      expect(await page.locator('#image-cards > details[open]').count()).toBe(0);
    });
  });

  test('every closed part opens and closes', async () => {
    await withPage(address, {}, async (page) => {
      for (const summary of await page.locator('summary').all()) {
        const isOpen = () => summary.evaluate((part) => part.parentElement?.hasAttribute('open'));
        await summary.click();
        expect(await isOpen()).toBe(true);
        await summary.press('Enter');
        expect(await isOpen()).toBe(false);
      }
    });
  });

  test('every chart saves its picture, its specification and its numbers', { timeout: 180_000 }, async () => {
    await withPage(address, {}, async (page) => {
      await page.locator('#open-all').click();
      const links = await page.locator('a.save').all();
      expect(links.length).toBeGreaterThan(60);
      for (const [index, link] of links.entries()) {
        if (index % 9 === 8) await page.waitForTimeout(1100); // Chromium lets a page save ten files in a second
        const download = page.waitForEvent('download');
        await link.click();
        const file = await download;
        const text = readFileSync(await file.path(), 'utf8');
        const name = file.suggestedFilename();
        expect(name).toBe(await link.getAttribute('download'));
        if (name.endsWith('.svg')) expect(text, name).toMatch(/^<svg [^>]*xmlns=(?!.*var\(--)/s);
        else if (name.endsWith('.json')) expect(JSON.parse(text).$schema, name).toMatch(/vega/);
        else expect(text.split('\r\n').length, name).toBeGreaterThan(2);
      }
    });
  });

  test('nothing is wider than a phone, and the first tab stop skips to the figures', async () => {
    await withPage(address, { viewport: { width: 390, height: 844 } }, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await expectInView(page, '#figures');
    });
  });

  test('on paper there are neither buttons nor navigation, and all is light', async () => {
    await withPage(address, { colorScheme: 'dark' }, async (page) => {
      await page.emulateMedia({ media: 'print' });
      for (const part of ['nav', '#image-tools', '.saves']) {
        expect(await page.locator(part).first().isVisible(), part).toBe(false);
      }
      const paper = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--paper'));
      expect(paper).toBe('#ffffff');
    });
  });

  test('hostile words run nothing', async () => {
    const hostile = await reportAddress(`</script><script>hacked=1</script><img src=x onerror="hacked=1">'"&`);
    await withPage(hostile, {}, async (page, troubles) => {
      expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
      expect(await page.locator('img').count()).toBe(0);
      expect(troubles).toEqual([]);
    });
  });
});

async function reportAddress(words: string): Promise<string> {
  const folder = temporaryFolder();
  const methods = ['grad-cam', 'score-cam', 'random-cam'] as const;
  await writeSyntheticRun(folder, { images: ['bubbly', 'crosshatched', 'fibrous'], methods, words });
  return pathToFileURL((await reportRuns([folder])).path).href;
}

async function withPage(
  address: string,
  options: BrowserContextOptions,
  work: (page: Page, troubles: readonly string[]) => Promise<void>,
): Promise<void> {
  const troubles: string[] = [];
  const context = await (browser as Browser).newContext(options); // the tests are skipped without one
  try {
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url())) troubles.push(request.url());
    });
    await page.goto(address);
    await work(page, troubles);
  } finally {
    await context.close();
  }
}

async function expectInView(page: Page, selector: string): Promise<void> {
  await page.waitForFunction((wanted) => {
    const { top, bottom } = document.querySelector(wanted)!.getBoundingClientRect();
    return top < innerHeight && bottom > 0;
  }, selector);
}
