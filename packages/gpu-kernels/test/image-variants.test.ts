import { describe, expect, test } from 'vitest';
import {
  add,
  conv2d,
  conv2dFused,
  filled,
  fillRegions,
  numpyRandom,
  positivePart,
  replacePixels,
  tensor,
  translate,
  uniformTensor,
} from '../src/index.ts';
import { run } from './support/run.ts';

const image = tensor([1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60], [1, 2, 2, 3]);
const black = filled(-1, 1, 2, 2, 3);

describe('fillRegions', () => {
  const ranks = tensor([2, 2, 0, 1, 3, 1], [1, 2, 3]);

  test('replaces in every channel the pixels up to a step, and never those of rank 0', () => {
    const { data, shape } = run(
      fillRegions,
      { image, fill: black, ranks, steps: tensor([0, 1, 3], [3, 1]) },
      undefined,
    );
    expect(shape).toEqual([3, 2, 2, 3]);
    expect([...data.subarray(0, 12)]).toEqual([...image.data]);
    expect([...data.subarray(12, 24)]).toEqual([1, 2, 3, -1, 5, -1, 10, 20, 30, -1, 50, -1]);
    expect([...data.subarray(24, 36)]).toEqual([-1, -1, 3, -1, -1, -1, -1, -1, 30, -1, -1, -1]);
  });

  test('earlier regions keep their fill: a baseline may differ from region to region', () => {
    const drifting = tensor([0.2, 0.2, 9, 0.1, 0.3, 0.1, 0.2, 0.2, 9, 0.1, 0.3, 0.1], [1, 2, 2, 3]);
    const { data } = run(fillRegions, { image, fill: drifting, ranks, steps: tensor([2], [1, 1]) }, undefined);
    expect([...data].slice(0, 6).map((value) => Number(value.toFixed(3)))).toEqual([0.2, 0.2, 3, 0.1, 5, 0.1]);
  });

  test('a fill of another shape is refused', () => {
    const inputs = { image, fill: filled(-1, 1, 2, 1, 1), ranks, steps: tensor([1], [1, 1]) };
    expect(() => run(fillRegions, inputs, undefined)).toThrow(/fillRegions expected a fill of shape \[1, 2, 2, 3\]/);
  });
});

describe('replacePixels', () => {
  test('replaces single numbers of the image by their place in an order', () => {
    const ranks = tensor([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [1, 2, 2, 3]);
    const ranges = tensor([0, 1, 10, 12, 4, 4], [3, 2]);
    const { data, shape } = run(replacePixels, { image, fill: black, ranks, ranges }, undefined);
    expect(shape).toEqual([3, 2, 2, 3]);
    expect([...data.subarray(0, 12)]).toEqual([...image.data.subarray(0, 11), -1]);
    expect([...data.subarray(12, 24)]).toEqual([-1, -1, ...image.data.subarray(2)]);
    expect([...data.subarray(24, 36)]).toEqual([...image.data]); // an empty range
  });
});

describe('translate', () => {
  test('moves columns to the right for positive shifts and fills what is uncovered', () => {
    const shifts = tensor([1, -2, 3, 0], [4, 1]);
    const { data, shape } = run(translate, { image, fill: black, shifts }, undefined);
    expect(shape).toEqual([4, 2, 2, 3]);
    expect([...data.subarray(0, 12)]).toEqual([-1, 1, 2, -1, 4, 5, -1, 10, 20, -1, 40, 50]);
    expect([...data.subarray(12, 24)]).toEqual([3, -1, -1, 6, -1, -1, 30, -1, -1, 60, -1, -1]);
    expect([...data.subarray(24, 36)]).toEqual([...black.data]); // a shift by the width
    expect([...data.subarray(36, 48)]).toEqual([...image.data]);
  });
});

describe('conv2dFused', () => {
  const random = numpyRandom(3);
  const inputs = {
    input: uniformTensor(random, [2, 3, 5, 4]),
    weights: uniformTensor(random, [4, 3, 2, 2]),
    bias: uniformTensor(random, [4]),
  };
  const residual = uniformTensor(random, [2, 4, 4, 3]);
  const options = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 } as const;

  test('is a convolution, an addition and a rectifier', () => {
    const sum = run(add, { left: run(conv2d, inputs, options), right: residual }, undefined);
    const expected = run(positivePart, { input: sum }, undefined);
    const actual = run(conv2dFused, { ...inputs, residual }, { ...options, relu: true });
    actual.data.forEach((value, index) => {
      expect(value).toBeCloseTo(expected.data[index], 5); // float32: the sum is rounded once instead of twice
    });
    expect(actual.data.some((value) => value === 0)).toBe(true);
  });

  test('conv2d rectifies only when asked', () => {
    const plain = run(conv2d, inputs, options);
    expect(plain.data.some((value) => value < 0)).toBe(true);
    expect(run(conv2d, inputs, { ...options, relu: true })).toEqual(run(positivePart, { input: plain }, undefined));
  });
});
