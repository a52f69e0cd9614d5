import { describe, expect, test } from 'vitest';
import {
  type MaskOptions,
  maskImages,
  minMax,
  multiply,
  numpyRandom,
  tensor,
  uniformTensor,
  upsampleBilinear,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { run } from './support/run.ts';

const author: MaskOptions = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 };
const conventions: readonly MaskOptions[] = [
  author,
  { resize: 'corner-aligned', normalise: 'after-resize', epsilon: 1e-8 },
  { resize: 'half-pixel', normalise: 'before-resize', epsilon: 1e-8 },
];

describe('maskImages', () => {
  test('multiplies every channel by the activation, stretched to [0, 1]', () => {
    const image = tensor([1, 2, 3, 4, 10, 20, 30, 40], [1, 2, 2, 2]);
    const activations = tensor([5, 6, 7, 9, 1, 0, 0, 0], [2, 2, 2]);
    const { data, shape } = run(maskImages, { image, activations }, author);
    expect(shape).toEqual([2, 2, 2, 2]);
    expect([...data]).toEqual([0, 0.5, 1.5, 4, 0, 5, 15, 40, 1, 0, 0, 0, 10, 0, 0, 0]);
  });

  test('after resizing the stretched maximum is 1; before, interpolation lowers it', () => {
    const image = tensor(new Float32Array(36).fill(1), [1, 1, 6, 6]);
    const activations = tensor([0, 0, 0, 0, 1, 0, 0, 0, 0], [1, 3, 3]); // an isolated peak
    expect(Math.max(...run(maskImages, { image, activations }, author).data)).toBe(1);
    const before = run(maskImages, { image, activations }, { ...author, normalise: 'before-resize' });
    expect(Math.max(...before.data)).toBe(0.5625); // (1 − 1/(2·2))², spec 0.3
  });

  test.each(conventions)('equals resizing, stretching and multiplying one after another: %j', (options) => {
    const image = uniformTensor(numpyRandom(1), [1, 3, 9, 12]);
    const activations = uniformTensor(numpyRandom(2), [4, 3, 5]);
    const resized = { size: [9, 12], convention: options.resize } as const;
    const stretch = (input: typeof image) => run(minMax, { input }, options);
    const resize = (input: typeof image) => run(upsampleBilinear, { input }, resized);
    const masks = options.normalise === 'after-resize' ? stretch(resize(activations)) : resize(stretch(activations));
    const left = { data: masks.data, shape: [4, 1, 9, 12] };
    const expected = run(multiply, { left, right: image }, undefined);
    const actual = run(maskImages, { image, activations }, options);
    expect(actual.shape).toEqual(expected.shape);
    expect(normalisedError(actual.data, expected.data)).toBeLessThan(1e-12); // float32 rounding of the masks
  });

  test.each(conventions)('a constant activation masks everything, at any value: %j', (options) => {
    const image = uniformTensor(numpyRandom(1), [1, 3, 9, 12]);
    const activations = tensor([...new Array(15).fill(0), ...new Array(15).fill(0.3)], [2, 3, 5]);
    expect(run(maskImages, { image, activations }, options).data.every((value) => value === 0)).toBe(true);
  });

  test('more than one image is refused', () => {
    const image = uniformTensor(numpyRandom(1), [2, 3, 4, 4]);
    const activations = uniformTensor(numpyRandom(1), [2, 2, 2]);
    expect(() => run(maskImages, { image, activations }, author)).toThrow(/maskImages expected one image/);
  });
});
