import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  conv2d,
  conv2dTranspose,
  numpyRandom,
  ShapeError,
  type Tensor,
  tensor,
  uniformTensor,
  zeros,
} from '../src/index.ts';
import { run } from './support/run.ts';

const plain = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 } as const;
const image = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
const corner = tensor([1, 0, 0, 10], [1, 1, 2, 2]);
const none = zeros(1);

describe('conv2d', () => {
  test('correlates, without flipping the kernel, and adds the bias', () => {
    const inputs = { input: image, weights: corner, bias: tensor([0.5], [1]) };
    expect(run(conv2d, inputs, plain)).toEqual(tensor([51.5, 62.5, 84.5, 95.5], [1, 1, 2, 2]));
  });

  test('pads need not be equal: top, left, bottom, right', () => {
    const { shape, data } = run(
      conv2d,
      { input: image, weights: corner, bias: none },
      { ...plain, pads: [1, 0, 0, 2] },
    );
    expect(shape).toEqual([1, 1, 3, 4]);
    expect([...data]).toEqual([20, 30, 0, 0, 51, 62, 3, 0, 84, 95, 6, 0]);
  });

  test('strides skip and dilation spreads', () => {
    const inputs = { input: image, weights: corner, bias: none };
    expect(run(conv2d, inputs, { ...plain, strides: [2, 1] })).toEqual(tensor([51, 62], [1, 1, 1, 2]));
    expect(run(conv2d, inputs, { ...plain, dilations: [2, 2] })).toEqual(tensor([91], [1, 1, 1, 1]));
  });

  test('groups do not mix', () => {
    const input = tensor([1, 2], [1, 2, 1, 1]);
    const inputs = { input, weights: tensor([10, 100], [2, 1, 1, 1]), bias: zeros(2) };
    expect(run(conv2d, inputs, { ...plain, groups: 2 })).toEqual(tensor([10, 200], [1, 2, 1, 1]));
  });

  test('channels of a group add up', () => {
    const inputs = { input: tensor([1, 2], [1, 2, 1, 1]), weights: tensor([10, 100], [1, 2, 1, 1]), bias: none };
    expect(run(conv2d, inputs, plain)).toEqual(tensor([210], [1, 1, 1, 1]));
  });

  test('a kernel larger than the padded image is refused', () => {
    const inputs = { input: image, weights: zeros(1, 1, 4, 4), bias: none };
    expect(() => run(conv2d, inputs, plain)).toThrow(ShapeError);
    expect(run(conv2d, inputs, { ...plain, pads: [1, 0, 0, 1] }).shape).toEqual([1, 1, 1, 1]);
  });

  test.each([{ strides: [0, 1] }, { dilations: [1, 0.5] }, { pads: [0, -1, 0, 0] }] as const)(
    '%j is refused',
    (wrong) => {
      expect(() => run(conv2d, { input: image, weights: corner, bias: none }, { ...plain, ...wrong })).toThrow(
        RangeError,
      );
    },
  );
});

describe('conv2dTranspose', () => {
  test('spreads each element over its window', () => {
    const inputs = { input: tensor([1, 2, 3, 4], [1, 1, 2, 2]), weights: corner };
    const { data } = run(conv2dTranspose, inputs, { ...plain, outputSize: [3, 3] });
    expect([...data]).toEqual([1, 2, 0, 3, 14, 20, 0, 30, 40]);
  });

  test('gives 0 to rows and columns that no window reads', () => {
    const inputs = { input: tensor([5], [1, 1, 1, 1]), weights: tensor([1], [1, 1, 1, 1]) };
    const { data } = run(conv2dTranspose, inputs, { ...plain, strides: [2, 3], outputSize: [2, 3] });
    expect([...data]).toEqual([5, 0, 0, 0, 0, 0]);
  });

  // ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩ says that one is the gradient of the other, whatever the options
  test('is the adjoint of conv2d', () => {
    const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const cases = fc.record({
      strides: pair(1, 3),
      dilations: pair(1, 2),
      kernel: pair(1, 3),
      pads: fc.tuple(
        ...([0, 1, 2, 3].map(() => fc.nat(3)) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
      ),
      groups: fc.integer({ min: 1, max: 2 }),
      size: pair(5, 9),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(cases, ({ kernel, size, seed, ...options }) => {
        const random = numpyRandom(seed);
        const input = uniformTensor(random, [2, 2 * options.groups, ...size]);
        const weights = uniformTensor(random, [3 * options.groups, 2, ...kernel]);
        const forward = run(conv2d, { input, weights, bias: zeros(weights.shape[0]) }, options);
        const arrived = uniformTensor(random, forward.shape);
        const back = run(conv2dTranspose, { input: arrived, weights }, { ...options, outputSize: size });
        expect(inner(forward, arrived)).toBeCloseTo(inner(input, back), 4);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

function inner(a: Tensor, b: Tensor): number {
  return a.data.reduce((sum, value, index) => sum + value * b.data[index], 0);
}
