import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { halfBits, halfValue } from '../src/halves/half.ts';
import { doubledShape, fromHalves, ShapeError, tensor, toHalves } from '../src/index.ts';

describe('halves', () => {
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000], // a tie goes to even
    [3 * 2 ** -25, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
  ])('%f is rounded to the bits %i', (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });

  test('every half but NaN comes back as it was', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfValue(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(halfValue(halfBits(value)))).toBe(true);
      else expect(halfBits(value)).toBe(bits);
    }
  });

  test('a number is never further from its half than from the half’s neighbours', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = halfBits(value);
        const distance = Math.abs(halfValue(bits) - value);
        for (const other of [bits - 1, bits + 1]) {
          const neighbour = halfValue(other & 0xffff);
          if (Number.isFinite(neighbour)) expect(distance).toBeLessThanOrEqual(Math.abs(neighbour - value));
        }
      }),
    );
  });

  test('tensors are packed two numbers to a word and come out again', () => {
    const words = toHalves(tensor([1, -2, 0.5, 65504, 0, 0.25], [3, 2]));
    expect(words.shape).toEqual([3, 1]);
    expect(doubledShape(words.shape)).toEqual([3, 2]);
    expect([...fromHalves(words.data)]).toEqual([1, -2, 0.5, 65504, 0, 0.25]);
    expect(() => toHalves(tensor([1, 2, 3], [1, 3]))).toThrow(ShapeError);
  });
});
