import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  averagePool,
  averagePoolBackward,
  maxPool,
  maxPoolBackward,
  numpyRandom,
  type Tensor,
  tensor,
  uniformTensor,
} from '../src/index.ts';
import { run } from './support/run.ts';

const image = tensor([1, 5, 2, 4, 3, 6, 9, 8, 7], [1, 1, 3, 3]);
const two = { kernel: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], ceilMode: false } as const;
const means = { ...two, countIncludePad: false };

describe('maxPool', () => {
  test('takes the largest of each window', () => {
    expect(run(maxPool, { input: image }, two)).toEqual(tensor([5, 6, 9, 8], [1, 1, 2, 2]));
  });

  test('padding never wins, not even among negative numbers', () => {
    const input = tensor([-3], [1, 1, 1, 1]);
    expect([...run(maxPool, { input }, { ...two, pads: [1, 1, 1, 1] }).data]).toEqual([-3, -3, -3, -3]);
  });

  test('ceil mode keeps a window that begins in the image, and only that', () => {
    const every = { ...two, strides: [2, 2], ceilMode: true } as const;
    expect(run(maxPool, { input: image }, every)).toEqual(tensor([5, 6, 9, 7], [1, 1, 2, 2]));
    // one row, padded on both sides: a second window would begin in the lower padding
    const input = tensor([1, 2, 3], [1, 1, 1, 3]);
    expect(run(maxPool, { input }, { ...every, pads: [1, 0, 1, 0] }).shape).toEqual([1, 1, 1, 2]);
  });

  test('dilation spreads the window', () => {
    expect([...run(maxPool, { input: image }, { ...two, dilations: [2, 2] }).data]).toEqual([9]);
  });

  test('pads as wide as the kernel are refused', () => {
    expect(() => run(maxPool, { input: image }, { ...two, pads: [2, 0, 0, 0] })).toThrow(
      'maxPool expected pads smaller than the kernel 2×2, got [2, 0, 0, 0].',
    );
  });
});

describe('maxPoolBackward', () => {
  const back = (input: Tensor, gradient: Tensor, options: typeof two) =>
    run(maxPoolBackward, { gradient, input, output: run(maxPool, { input }, options) }, options);

  test('gives each gradient to the maximum of its window', () => {
    const gradient = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
    expect([...back(image, gradient, two).data]).toEqual([0, 1, 0, 0, 0, 2, 3, 4, 0]);
  });

  test('where windows overlap the shares add up', () => {
    const input = tensor([0, 0, 0, 0, 9, 0, 0, 0, 0], [1, 1, 3, 3]);
    expect([...back(input, tensor([1, 2, 3, 4], [1, 1, 2, 2]), two).data]).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0]);
  });

  test('of equal maxima the first in row-major order takes all', () => {
    const input = tensor(new Float32Array(9), [1, 1, 3, 3]);
    expect([...back(input, tensor([1, 2, 3, 4], [1, 1, 2, 2]), two).data]).toEqual([1, 2, 0, 3, 4, 0, 0, 0, 0]);
  });
});

describe('averagePool', () => {
  test('averages each window', () => {
    expect([...run(averagePool, { input: image }, means).data]).toEqual([3.25, 4, 6, 6]);
  });

  test('a kernel as large as the map averages it all', () => {
    expect(run(averagePool, { input: image }, { ...means, kernel: [3, 3] })).toEqual(tensor([5], [1, 1, 1, 1]));
  });

  test('padding counts only if asked to', () => {
    const input = tensor([8], [1, 1, 1, 1]);
    const padded = { ...means, pads: [1, 1, 0, 0] } as const;
    expect([...run(averagePool, { input }, padded).data]).toEqual([8]);
    expect([...run(averagePool, { input }, { ...padded, countIncludePad: true }).data]).toEqual([2]);
  });

  test('what lies beyond the padding in ceil mode never counts', () => {
    const over = { ...means, strides: [2, 2], ceilMode: true, countIncludePad: true } as const;
    expect([...run(averagePool, { input: image }, over).data]).toEqual([3.25, 4, 8.5, 7]);
  });
});

describe('averagePoolBackward', () => {
  test('shares each gradient among the pixels that were averaged', () => {
    const gradient = tensor([4, 8, 12, 16], [1, 1, 2, 2]);
    const { data } = run(averagePoolBackward, { gradient }, { ...means, inputSize: [3, 3] });
    expect([...data]).toEqual([1, 3, 2, 4, 10, 6, 3, 7, 4]);
  });

  // ⟨pool(x), y⟩ = ⟨x, poolᵀ(y)⟩, whatever the options
  test('is the adjoint of averagePool, and on its maxima maxPoolBackward is that of maxPool', () => {
    const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const cases = fc.record({
      kernel: pair(2, 3),
      strides: pair(1, 3),
      pads: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.nat(1)),
      ceilMode: fc.boolean(),
      countIncludePad: fc.boolean(),
      size: pair(3, 8),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(cases, ({ size, seed, ...options }) => {
        const random = numpyRandom(seed);
        const input = uniformTensor(random, [2, 3, ...size]);
        const mean = run(averagePool, { input }, options);
        const gradient = uniformTensor(random, mean.shape);
        const shares = run(averagePoolBackward, { gradient }, { ...options, inputSize: size });
        expect(inner(mean, gradient)).toBeCloseTo(inner(input, shares), 4);
        const window = { ...options, dilations: [1, 1] } as const;
        const output = run(maxPool, { input }, window);
        const won = run(maxPoolBackward, { gradient, input, output }, window);
        expect(inner(output, gradient)).toBeCloseTo(inner(input, won), 4);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

function inner(a: Tensor, b: Tensor): number {
  return a.data.reduce((sum, value, index) => sum + value * b.data[index], 0);
}
