import { afterAll, beforeAll, describe, test } from 'vitest';
import type { OpenedDevice } from '../../src/index.ts';
import { findTestGpu, type TestGpu } from './software-gpu.ts';

const gpu = await findTestGpu();

/** Tests that need a GPU. Without one they are skipped, and the title says why. */
export function describeGpu(title: string, tests: (gpu: TestGpu) => void): void {
  if ('open' in gpu) describe(title, () => tests(gpu));
  else describe.skip(`${title}: ${gpu.missing}`, () => test('needs a GPU', () => {}));
}

/** A device that the tests of a file share: opened before the first, closed after the last. */
export function sharedDevice(open: () => Promise<OpenedDevice>): {
  readonly device: GPUDevice;
  readonly software: boolean;
} {
  let opened: OpenedDevice;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());
  return {
    get device() {
      return opened.device;
    },
    get software() {
      return opened.software;
    },
  };
}
