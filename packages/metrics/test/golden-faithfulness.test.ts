import { tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { impute } from '../src/impute.ts';
import { type AnyMetric, type MetricName, metrics, type Score, type Subject } from '../src/index.ts';
import { riseBlur } from '../src/rise-blur.ts';
import { numpyOrder } from './support/numpy-order.ts';
import { shareOf, tinyExpected, tinySubjects } from './support/toys.ts';

// The case M: a linear model in float32, so sums differ in the last bits.
const tolerance = 1e-5;
const { batch } = tinyExpected();

/** Relevance of every feature of the case M, negated where the order is descending: what the peer sorted. */
function sorted({ map, image }: Subject, direction: 'descending' | 'ascending'): number[] {
  const sign = direction === 'descending' ? -1 : 1;
  return numpyOrder(Float32Array.from(image.data, (_, feature) => sign * map.data[feature % map.data.length]));
}

function scores(name: MetricName, options: object, order?: 'descending' | 'ascending'): Promise<Score[]> {
  const subjects = tinySubjects();
  const metric: AnyMetric = metrics[name];
  return Promise.all(
    subjects.map((subject, index) =>
      metric.score(
        { ...subject, random: shareOf(index, subjects.length, 0) },
        { normaliseScope: 'batch', ...options, ...(order && { order: sorted(subject, order) }) },
      ),
    ),
  );
}

// The peer's sort is unstable and the map has many equal values: its order of those is replayed.
describe('numbers of Quantus', () => {
  test.each([
    ['PixelFlipping_f12_auc', 'pixel-flipping', { featuresInStep: 12 }, 'descending'],
    ['FaithfulnessEstimate_f12', 'faithfulness-estimate', { featuresInStep: 12 }, 'descending'],
    ['FaithfulnessCorrelation_r10_s8_seed0', 'faithfulness-correlation', { runs: 10, subsetSize: 8 }, undefined],
    [
      'MonotonicityCorrelation_f12_n5_seed0',
      'monotonicity-correlation',
      { featuresInStep: 12, samples: 5 },
      'ascending',
    ],
    ['Infidelity_p2_n2', 'infidelity', { patchSize: 2, samples: 2 }, undefined],
  ] as const)('%s', async (recorded, name, options, order) => {
    const found = await scores(name, options, order);
    for (const [index, expected] of batch[recorded].entries()) {
      const allowed = tolerance * Math.max(1, Math.abs(Number(expected)));
      expect(Math.abs(Number(found[index].value ?? Number.NaN) - Number(expected))).toBeLessThanOrEqual(allowed);
    }
  });

  test.each([
    ['PixelFlipping_f12', 'pixel-flipping', { featuresInStep: 12 }, 'descending'],
    ['Selectivity_p2', 'selectivity', { patchSize: 2 }, undefined],
  ] as const)('%s', async (recorded, name, options, order) => {
    const found = await scores(name, options, order);
    for (const [index, expected] of batch[recorded].entries()) {
      const curve = curveOf(found[index]);
      const recordedCurve = expected as readonly number[]; // curves, one for each image
      expect(curve.length).toBe(recordedCurve.length);
      for (const [step, value] of curve.entries())
        expect(Math.abs(value - recordedCurve[step])).toBeLessThanOrEqual(tolerance);
    }
  });
});

describe('imputation of ROAD', () => {
  test('two unknown pixels of 1 to 9', () => {
    const image = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3]);
    const found = impute(image, unknownOf(9, [4, 0])).data;
    expect(found[4]).toBeCloseTo(5.2034, 4); // spec 3.3
    expect(found[0]).toBeCloseTo(3.4407, 4);
  });

  test('the centre and a corner of the squares of 1 to 16, in every channel alike', () => {
    const squares = Array.from({ length: 16 }, (_, index) => (index + 1) ** 2);
    const unknown = unknownOf(16, [5, 6, 9, 10, 15]);
    const { data } = impute(tensor([...squares, ...squares.map((value) => 2 * value)], [2, 4, 4]), unknown);
    const expected = [54.28996, 66.87047, 117.87047, 132.99761, 174.19952]; // spec 3.3
    for (const [at, pixel] of [5, 6, 9, 10, 15].entries()) {
      expect(data[pixel]).toBeCloseTo(expected[at], 3);
      expect(data[16 + pixel]).toBeCloseTo(2 * expected[at], 3);
    }
  });

  test('known pixels stay as they are, and an image without known pixels becomes its mean', () => {
    const image = tensor([3, 1, 4, 1], [1, 2, 2]);
    expect(impute(image, unknownOf(4, [1])).data.filter((_, pixel) => pixel !== 1)).toEqual(
      Float32Array.from([3, 4, 1]),
    );
    expect(impute(image, unknownOf(4, [])).data).toEqual(image.data);
    expect(impute(image, unknownOf(4, [0, 1, 2, 3])).data).toEqual(Float32Array.from([2.25, 2.25, 2.25, 2.25]));
  });
});

describe('blur of RISE', () => {
  test('spreads a point into the products of its kernel', () => {
    const point = tensor(new Float32Array(15 * 15), [1, 15, 15]);
    point.data[7 * 15 + 7] = 1;
    const { data } = riseBlur(point);
    expect(data[7 * 15 + 7]).toBeCloseTo(0.0939821 ** 2, 7); // spec 3.5
    expect(data[2 * 15 + 6]).toBeCloseTo(0.0879581 * 0.0934894, 7);
    expect(data[15 + 7]).toBe(0);
    expect(data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  test('sees zeros outside the image', () => {
    const { data } = riseBlur(tensor(new Float32Array(144).fill(1), [1, 12, 12]));
    expect(data[0]).toBeLessThan(0.4);
    expect(data[5 * 12 + 5]).toBeCloseTo(1, 5);
  });
});

function unknownOf(length: number, pixels: readonly number[]): Uint8Array {
  return Uint8Array.from({ length }, (_, pixel) => Number(pixels.includes(pixel)));
}

function curveOf(score: Score): readonly number[] {
  if (score.value === null) throw new Error(score.reason);
  return score.detail?.curve as readonly number[]; // these metrics have one
}
