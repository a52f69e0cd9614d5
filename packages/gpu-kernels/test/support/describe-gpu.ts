import { describe, test } from 'vitest';
import { findTestGpu, type TestGpu } from './software-gpu.ts';

const gpu = await findTestGpu();

/** Tests that need a GPU. Without one they are skipped, and the title says why. */
export function describeGpu(title: string, tests: (gpu: TestGpu) => void): void {
  if ('open' in gpu) describe(title, () => tests(gpu));
  else describe.skip(`${title}: ${gpu.missing}`, () => test('needs a GPU', () => {}));
}
