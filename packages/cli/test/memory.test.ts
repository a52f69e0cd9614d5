import { expect, test } from 'vitest';
import { markMemory } from '../src/study/memory.ts';

test.skipIf(process.platform !== 'linux')('memory that was used and given back before anyone looked is told', () => {
  const mark = markMemory();
  allocateAndForget(300e6);
  globalThis.gc?.();
  const { before = 0, peak = 0 } = mark.read() ?? {};
  expect(before).toBeGreaterThan(20e6);
  expect(peak - before).toBeGreaterThan(200e6);
});

test.skipIf(process.platform !== 'linux')('a mark that is begun later does not see an earlier peak', () => {
  allocateAndForget(300e6);
  const { before = 0, peak = Number.POSITIVE_INFINITY } = markMemory().read() ?? {};
  expect(peak - before).toBeLessThan(50e6);
});

function allocateAndForget(bytes: number): void {
  Buffer.alloc(bytes, 1); // written to, so that it is really taken
}
