import { tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { requireFinite } from '../src/classifiers/checks.ts';

describe('requireFinite', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('finds %d wherever it is', (bad) => {
    for (const length of [1, 3, 4, 5, 7]) {
      for (let at = 0; at < 2 * length; at++) {
        const batch = tensor(new Float32Array(2 * length).fill(1).with(at, bad), [2, length]);
        const row = Math.floor(at / length);
        expect(() => requireFinite('Image', batch)).toThrow(`Image ${row} of the batch holds ${bad};`);
      }
    }
  });

  test('lets the largest and the smallest numbers pass', () => {
    const most = 3.4028234663852886e38; // of float32
    expect(() => requireFinite('Image', tensor([most, most, -most, -0, 2 ** -149], [1, 5]))).not.toThrow();
    expect(() => requireFinite('Image', tensor([], [0]))).not.toThrow();
    expect(() => requireFinite('Image', tensor(new Float32Array(1000).fill(most), [1, 1000]))).not.toThrow();
  });
});
