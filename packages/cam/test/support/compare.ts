import type { Tensor } from '@cambium/gpu-kernels';
import type { GoldenCheck } from '../../../gpu-kernels/test/support/golden.ts';

/** Largest |a − b|; infinite where the lengths differ or a number is not finite. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs(a[index] - b[index]);
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** Largest |a − b| in units of the largest |b|. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let scale = 0;
  for (let index = 0; index < b.length; index++) scale = Math.max(scale, Math.abs(b[index]));
  return largestDifference(a, b) / (scale || 1);
}

/** Spearman's correlation, 1 − 6·Σd²/(n³ − n), of numbers among which hardly any are equal; equal ones keep their order. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const places = [a, b].map((values) => {
    const order = Array.from({ length: values.length }, (_, index) => index).sort((i, j) => values[i] - values[j]);
    const place = new Uint32Array(values.length);
    for (const [rank, index] of order.entries()) place[index] = rank;
    return place;
  });
  const squares = places[0].reduce((sum, place, index) => sum + (place - places[1][index]) ** 2, 0);
  return 1 - (6 * squares) / (a.length ** 3 - a.length);
}

/** Difference from the 32 recorded values, in units of the array's largest; infinite where the shapes differ. */
export function sampled(ours: Tensor, check: GoldenCheck): number {
  if (ours.shape.join() !== check.shape.join()) return Number.POSITIVE_INFINITY;
  const size = ours.data.length;
  const strided = check.strided16.map((_, k) => ours.data[Math.floor((k * size) / 16)]);
  const scale = Math.max(Math.abs(check.min), Math.abs(check.max)) || 1;
  const l2 = Math.sqrt(ours.data.reduce((sum, value) => sum + value * value, 0));
  return Math.max(
    largestDifference(ours.data.slice(0, 16), check.first16) / scale,
    largestDifference(strided, check.strided16) / scale,
    Math.abs(l2 - check.l2) / check.l2,
  );
}
