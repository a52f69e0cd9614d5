import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  channelMeans,
  filled,
  interpolationMatrix,
  minMax,
  numpyRandom,
  softmax,
  tensor,
  uniformTensor,
  upsampleBilinear,
  weightedSum,
} from '../src/index.ts';
import { run } from './support/run.ts';

describe('upsampleBilinear', () => {
  const small = tensor([0, 1, 2, 4], [2, 2]);

  // worked out in spec 0.3
  test('with half pixels, areas coincide', () => {
    const { data } = run(upsampleBilinear, { input: small }, { size: [4, 4], convention: 'half-pixel' });
    expect([...data]).toEqual([0, 0.25, 0.75, 1, 0.5, 0.8125, 1.4375, 1.75, 1.5, 1.9375, 2.8125, 3.25, 2, 2.5, 3.5, 4]);
  });

  test('with aligned corners, corner pixels coincide', () => {
    const { data } = run(upsampleBilinear, { input: small }, { size: [4, 4], convention: 'corner-aligned' });
    const firstRows = [0, 1 / 3, 2 / 3, 1, 2 / 3, 10 / 9, 14 / 9, 2];
    for (const [index, expected] of firstRows.entries()) expect(data[index]).toBeCloseTo(expected, 6);
    expect([data[12], data[15]]).toEqual([2, 4]);
  });

  test.each(['half-pixel', 'corner-aligned'] as const)('%s: the same size changes nothing', (convention) => {
    const input = uniformTensor(numpyRandom(3), [2, 5, 7]);
    expect(run(upsampleBilinear, { input }, { size: [5, 7], convention })).toEqual(input);
  });

  test.each(['half-pixel', 'corner-aligned'] as const)(
    '%s: one pixel fills the map, and can be all of it',
    (convention) => {
      const input = filled(3, 1, 1);
      expect(run(upsampleBilinear, { input }, { size: [2, 3], convention })).toEqual(filled(3, 2, 3));
      expect(run(upsampleBilinear, { input: filled(2, 4, 4) }, { size: [1, 1], convention })).toEqual(filled(2, 1, 1));
    },
  );

  test('never leaves the range of the original', () => {
    const length = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(length, length, length, length, fc.boolean(), (h, w, height, width, aligned) => {
        const input = uniformTensor(numpyRandom(h * 10 + w), [h, w]);
        const convention = aligned ? 'corner-aligned' : 'half-pixel';
        const { data } = run(upsampleBilinear, { input }, { size: [height, width], convention });
        expect(Math.max(...data)).toBeLessThanOrEqual(Math.max(...input.data) + 1e-6);
        expect(Math.min(...data)).toBeGreaterThanOrEqual(Math.min(...input.data) - 1e-6);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test('a size of nothing is refused', () => {
    expect(() => run(upsampleBilinear, { input: small }, { size: [0, 4], convention: 'half-pixel' })).toThrow(
      RangeError,
    );
  });
});

test('every row of an interpolation matrix sums to 1', () => {
  for (const convention of ['half-pixel', 'corner-aligned'] as const) {
    const { data, shape } = interpolationMatrix(7, 24, convention);
    expect(shape).toEqual([24, 7]);
    for (let row = 0; row < 24; row++) {
      const sum = data.subarray(row * 7, row * 7 + 7).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 6);
    }
  }
});

describe('minMax', () => {
  test('stretches each map by itself to [0, 1]', () => {
    const input = tensor([1, 3, 2, 1, -4, -4, -4, 4], [2, 2, 2]);
    expect([...run(minMax, { input }, { epsilon: 0 }).data]).toEqual([0, 1, 0.5, 0, 0, 0, 0, 1]);
  });

  test('adds epsilon to the range', () => {
    expect([...run(minMax, { input: tensor([1, 3], [1, 2]) }, { epsilon: 2 }).data]).toEqual([0, 0.5]);
  });

  test.each([0, 1e-7])('a constant map becomes 0, with epsilon %d', (epsilon) => {
    expect(run(minMax, { input: filled(0.3, 3, 3) }, { epsilon })).toEqual(filled(0, 3, 3));
  });

  test('an added constant and a positive factor change nothing', () => {
    const input = uniformTensor(numpyRandom(1), [4, 5]);
    const scaled = { ...input, data: input.data.map((value) => 8 * value + 2) };
    const [a, b] = [input, scaled].map((map) => run(minMax, { input: map }, { epsilon: 0 }).data);
    for (const [index, value] of a.entries()) expect(b[index]).toBeCloseTo(value, 6);
  });
});

test('weightedSum adds up the weighted channels of each image', () => {
  const activations = tensor([1, 2, 10, 20, 3, 4, 30, 40], [2, 2, 1, 2]);
  const weights = tensor([1, 0.5, -1, 2], [2, 2]);
  expect(run(weightedSum, { weights, activations }, undefined)).toEqual(tensor([6, 12, 57, 76], [2, 1, 2]));
});

test('channelMeans averages each channel over space', () => {
  const input = tensor([1, 2, 3, 6, 10, 10, 10, 10], [1, 2, 2, 2]);
  expect(run(channelMeans, { input }, undefined)).toEqual(tensor([3, 10], [1, 2]));
});

describe('softmax', () => {
  test('weighs by the exponential', () => {
    const { data } = run(softmax, { input: tensor([0, Math.log(3), 5, 5], [2, 2]) }, undefined);
    expect([...data]).toEqual([0.25, 0.75, 0.5, 0.5]);
  });

  test('large logits neither overflow nor give NaN', () => {
    const { data } = run(softmax, { input: tensor([1e30, 0, -1e30], [1, 3]) }, undefined);
    expect([...data]).toEqual([1, 0, 0]);
  });
});
