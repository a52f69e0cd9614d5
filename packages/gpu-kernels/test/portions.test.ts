import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutIntoPortions, portionShapes } from '../src/gpu/portions.ts';
import { add, channelMeans, matmul, type Shape } from '../src/index.ts';

const limits = { bytes: 1024, alignment: 256 };

/** Portions of sums of two tensors of one shape, whose rows are independent. */
function cut(shape: Shape, within = limits) {
  const run = { shapes: { left: shape, right: shape }, output: shape, options: undefined, run: 'add' };
  return cutIntoPortions(add, run, within);
}

describe('cutIntoPortions', () => {
  test('what fits stays whole', () => {
    expect(cut([4, 64])).toEqual([{ start: 0, end: 4, split: [] }]);
    expect(cut([])).toEqual([{ start: 0, end: 1, split: [] }]);
  });

  test('rows go as many at a time as fit, the rest last', () => {
    expect(cut([9, 64])).toEqual([
      { start: 0, end: 4, split: ['left', 'right'] },
      { start: 4, end: 8, split: ['left', 'right'] },
      { start: 8, end: 9, split: ['left', 'right'] },
    ]);
  });

  test('portions begin where bindings may: rows of 80 bytes only at every sixteenth', () => {
    const starts = cut([30, 20], { bytes: 2000, alignment: 256 }).map(({ start }) => start);
    expect(starts).toEqual([0, 16]); // 25 rows would fit, and 16·80 bytes are the only multiple of 256 among them
  });

  test('a row that cannot be aligned within the limit is refused', () => {
    expect(() => cut([30, 21], { bytes: 2000, alignment: 256 })).toThrow(
      'add binds 2520 bytes at once, but maxStorageBufferBindingSize is 2000. Use a smaller batch.',
    );
  });

  test('the largest row decides, of the output or of an input', () => {
    const run = { shapes: { input: [8, 2, 8, 8] }, output: [8, 2], options: undefined, run: 'channelMeans' };
    // rows of 512 and of 8 bytes: two would fit, but the output may be cut only at every 32nd
    expect(() => cutIntoPortions(channelMeans, run, limits)).toThrow(RangeError);
    expect(cutIntoPortions(channelMeans, run, { bytes: 1024, alignment: 8 }).map(({ end }) => end)).toEqual([
      2, 4, 6, 8,
    ]);
  });

  test('an input that is needed whole and does not fit is refused', () => {
    const run = { shapes: { left: [4, 300], right: [300, 2] }, output: [4, 2], options: {}, run: 'matmul' };
    expect(() => cutIntoPortions(matmul, run, limits)).toThrow(/^matmul binds 4800 bytes at once.*is 1024\. Use/);
  });

  test('one that is needed whole is refused also where the rows of all others would fit', () => {
    const run = { shapes: { left: [40, 8], right: [8, 40] }, output: [40, 40], options: {}, run: 'matmul' };
    expect(() => cutIntoPortions(matmul, run, { bytes: 1024, alignment: 16 })).toThrow(/^matmul binds 6400 bytes/);
    expect(cutIntoPortions(matmul, run, { bytes: 1280, alignment: 16 }).length).toBeGreaterThan(1); // right is 1280
  });

  test('a kernel without rows is refused, and so is a single number', () => {
    const whole = { ...add, rows: undefined };
    const run = { shapes: { left: [9, 64], right: [9, 64] }, output: [9, 64], options: undefined, run: 'whole' };
    expect(() => cutIntoPortions(whole, run, limits)).toThrow(/this kernel cannot be run a few rows at a time/);
    const single = { ...run, output: [] };
    expect(() => cutIntoPortions(add, single, limits)).toThrow(/cannot be run a few rows at a time/);
  });

  test('portions cover every row once, fit and are aligned, whatever the shape', () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 200 }),
      row: fc.integer({ min: 1, max: 300 }),
      bytes: fc.integer({ min: 64, max: 20_000 }),
      alignment: fc.constantFrom(4, 32, 256),
    });
    let several = 0;
    fc.assert(
      fc.property(cases, ({ rows, row, ...within }) => {
        const portions = refusedOr(() => cut([rows, row], within));
        if (portions === undefined) {
          const step = within.alignment / gcd(4 * row, within.alignment);
          expect(4 * row * Math.min(step, rows)).toBeGreaterThan(within.bytes);
          return;
        }
        if (portions.length > 1) several++;
        portions.forEach(({ start, end }, index) => {
          expect(start).toBe(index === 0 ? 0 : portions[index - 1].end);
          expect(4 * row * (end - start)).toBeLessThanOrEqual(within.bytes);
          expect((4 * row * start) % within.alignment).toBe(0);
        });
        expect(portions.at(-1)?.end).toBe(rows);
      }),
      { seed: 3, numRuns: 500 },
    );
    expect(several).toBeGreaterThan(50);
  });
});

test('portionShapes changes the split inputs alone', () => {
  const shapes = { left: [9, 4], right: [4, 2] };
  const part = portionShapes(['left', 'right'], shapes, { start: 6, end: 9, split: ['left'] });
  expect(part).toEqual({ left: [3, 4], right: [4, 2] });
});

function refusedOr<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return undefined;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
