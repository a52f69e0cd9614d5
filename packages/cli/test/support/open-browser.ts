import chromium from '@sparticuz/chromium';
import { type Browser, chromium as launcher } from 'playwright-core';

/**
 * Opens the headless Chromium of the npm package `@sparticuz/chromium`, on Linux x64, or says why there is none here.
 */
export async function openBrowser(): Promise<Browser | { readonly missing: string }> {
  try {
    const executablePath = await chromium.executablePath();
    const args = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none'];
    return await launcher.launch({ executablePath, args });
  } catch (error) {
    return { missing: `no browser for this test: ${error instanceof Error ? error.message : String(error)}` };
  }
}
