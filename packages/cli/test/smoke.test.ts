import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCambium, temporaryFolder } from './support/run-cambium.ts';
import { recordOf, rowsOf } from './support/run-rows.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

test('the suite smoke runs on the embedded model, is held to PyTorch, and works in the network most of its time', async () => {
  const out = join(folder, 'smoke');
  const { code, errors } = await runCambium('run', 'smoke', '-o', out);
  expect(code, errors).toBe(0);
  expect(rowsOf(out).map(({ value }) => typeof value)).toEqual(Array(2 * 3 * 5).fill('number'));
  expect(existsSync(join(out, 'report.html'))).toBe(true);
  const { checks = [], spent } = recordOf(out);
  expect(checks[0].difference).toBeLessThan(1e-5);
  // half is "most"; two images hardly pay for the start, and other tests take cores from the rest of it: 0.74 to 0.9
  // here, where a study of ten images, alone on its machine, spends 0.97
  expect(spent.classifier / spent.seconds).toBeGreaterThan(0.5);
}, 180_000);
