import { filled, numpyRandom, tensor, zeros } from '@cambium/gpu-kernels';
import { assert, asyncProperty, constantFrom, double, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completeness } from '../src/completeness.ts';
import { effectiveComplexity } from '../src/effective-complexity.ts';
import { sparseness } from '../src/sparseness.ts';
import { constant, numberOf, onePixel, randomSubject, scaled } from './support/subjects.ts';

describe('sparseness', () => {
  test('of one pixel among n is 1 − 1/n, of two equal pixels 1 − 2/n', async () => {
    const one = randomSubject(1, { map: tensor([0, 0, 5, 0].concat(new Array(16).fill(0)), [4, 5]) });
    expect(numberOf(await sparseness.score(one))).toBeCloseTo(1 - 1 / 20, 5);
    const two = randomSubject(1, { map: tensor([0, 3, 3, 0].concat(new Array(16).fill(0)), [4, 5]) });
    expect(numberOf(await sparseness.score(two))).toBeCloseTo(1 - 2 / 20, 5);
  });

  test('of 1, 2, 3, 4 is 0.25: (−3·1 − 1·2 + 1·3 + 3·4) / (4·10)', async () => {
    const subject = randomSubject(1, { image: zeros(1, 2, 2), map: tensor([2, 4, 1, 3], [2, 2]) });
    expect(numberOf(await sparseness.score(subject))).toBeCloseTo(0.25, 6);
  });

  test('sees neither scale, nor sign, nor the order of pixels', async () => {
    const subject = randomSubject(2);
    const expected = numberOf(await sparseness.score(subject));
    const permuted = tensor(subject.map.data.toReversed(), [4, 5]);
    expect(numberOf(await sparseness.score({ ...subject, map: permuted }))).toBeCloseTo(expected, 12);
    expect(numberOf(await sparseness.score({ ...subject, map: scaled(subject.map, 1000) }))).toBeCloseTo(expected, 6);
    const signed = tensor(
      subject.map.data.map((value, index) => (index % 2 ? -value : value)),
      [4, 5],
    );
    expect(numberOf(await sparseness.score({ ...subject, map: signed }))).toBeCloseTo(expected, 12);
  });
});

describe('effective complexity', () => {
  test('counts pixels above eps of the maximum', async () => {
    const map = tensor([1, 0.5, 1e-4, 1e-6].concat(new Array(16).fill(0)), [4, 5]);
    expect(await effectiveComplexity.score(randomSubject(1, { map }))).toEqual({ value: 3 });
    expect(await effectiveComplexity.score(randomSubject(1, { map }), { eps: 0.3 })).toEqual({ value: 2 });
    expect(await effectiveComplexity.score(randomSubject(1, { map: scaled(map, 64) }))).toEqual({ value: 3 });
  });

  test('refuses a negative eps', async () => {
    await expect(effectiveComplexity.score(randomSubject(1), { eps: -1 })).rejects.toThrow(
      'effective-complexity expected eps to be a number from 0, got -1.',
    );
  });
});

describe('completeness', () => {
  test('has no residual for gradient times what the image has over the baseline, on a linear model', async () => {
    const subject = randomSubject(3, { predict: onePixel(6, 2.5) }); // row 1, column 1 of the first channel
    const black = subject.image.data.reduce((least, value) => Math.min(least, value));
    const map = zeros(4, 5);
    map.data[6] = 2.5 * (subject.image.data[6] - black);
    expect(numberOf(await completeness.score({ ...subject, map }))).toBeCloseTo(0, 5);
    expect(numberOf(await completeness.score({ ...subject, map: scaled(map, 2) }))).toBeCloseTo(map.data[6], 5);
  });

  test('of a constant model is the size of the sum of the map', async () => {
    const subject = randomSubject(4);
    const sum = subject.map.data.reduce((total, value) => total + value, 0);
    expect(numberOf(await completeness.score(subject))).toBeCloseTo(sum, 5);
  });

  test('compares with whichever baseline it is told', async () => {
    const subject = randomSubject(5, { predict: onePixel(0) });
    const difference = expect.closeTo(subject.image.data[0], 6);
    expect(await completeness.score(subject, { baseline: 0 })).toMatchObject({ detail: { difference } });
    const grey = 'grey' as never; // no baseline: what a caller without types might give
    await expect(completeness.score(subject, { baseline: grey })).rejects.toThrow('baseline');
  });
});

test('maps that say nothing have no score, whatever their value', async () => {
  for (const metric of [sparseness, effectiveComplexity, completeness]) {
    for (const value of [0, 1, 0.3, -2]) {
      expect(await metric.score(randomSubject(1, { map: filled(value, 4, 5) }))).toHaveProperty('reason');
    }
  }
});

test('sparseness stays in 0 to 1 and grows when relevance moves from a smaller to a larger pixel', async () => {
  const values = uniqueArray(double({ min: 0.01, max: 100, noNaN: true }), { minLength: 6, maxLength: 6 });
  const grows = asyncProperty(values, constantFrom(0.1, 0.5), async (all, share) => {
    const sorted = all.toSorted((a, b) => a - b);
    const taken = share * sorted[0];
    const before = await scoreOf(sorted);
    const after = await scoreOf([sorted[0] - taken, ...sorted.slice(1, 5), sorted[5] + taken]);
    expect(before).toBeGreaterThanOrEqual(0);
    expect(after).toBeLessThanOrEqual(1);
    expect(after).toBeGreaterThanOrEqual(before - 1e-6); // maps are float32
  });
  await assert(grows, { seed: 1, numRuns: 50 });
});

async function scoreOf(values: readonly number[]): Promise<number> {
  const map = tensor(values, [2, 3]);
  const image = zeros(1, 2, 3);
  const subject = { image, map, target: 0, predict: constant, explain: async () => map, random: numpyRandom(0) };
  return numberOf(await sparseness.score(subject));
}
