import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve } from './serve.ts';
import { startChromium } from './start-chromium.ts';

const browser = await startChromium();
const served = await serve('examples/browser');
const pictures = fileURLToPath(new URL('../../../../node_modules/.cache/cambium/screenshots', import.meta.url));

describe('examples/browser', () => {
  beforeAll(() => mkdir(pictures, { recursive: true }));
  afterAll(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
  });

  /** Opens the page after running a script, waits until it has said something and keeps a picture of it to look at. */
  async function visit(query: string, picture: string, before = '') {
    const tab = await browser.newPage({ viewport: { width: 900, height: 1500 } });
    await tab.addInitScript(before);
    const complaints: string[] = [];
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(served.address + query);
    const message = tab.locator('#message:not(:text("Looking for"))');
    const text = (await message.textContent()) ?? '';
    await tab.screenshot({ path: `${pictures}/${picture}.png` });
    return { tab, text, complaints };
  }

  test('shows the result of the GPU beside that of the plain loops', async () => {
    const { tab, text, complaints } = await visit('?prefer=software', 'example');
    expect(text).toBe('The GPU and the plain loops agree.');
    expect(await tab.locator('canvas').count()).toBe(10);
    expect(Number(await tab.locator('dt:text("largest difference") + dd').textContent())).toBeLessThan(1e-6);
    expect(complaints).toEqual([]);
  });

  test('says why there is no GPU and offers a software adapter', async () => {
    const { tab, text, complaints } = await visit('', 'example-without-gpu');
    expect(text).toMatch(/^This browser offers no hardware GPU to the page\.\n.*is a software adapter/);
    expect(await tab.locator('#software').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test('says that a browser has no WebGPU', async () => {
    const { text, complaints } = await visit('', 'example-without-webgpu', 'delete Navigator.prototype.gpu;');
    expect(text).toMatch(/^This browser gives the page no WebGPU\./);
    expect(complaints).toEqual([]);
  });
});
