import { sampleRankCorrelation } from 'simple-statistics';
import { requireFiniteValues, type Value } from './values.ts';

/**
 * Spearman's rank correlation, −1 to 1, over the positions where both have a value.
 *
 * @returns null when fewer than two positions are left or either is constant there
 * @throws RangeError when the lengths differ or a value is NaN or infinite
 * @source Spearman 1904: Pearson's correlation of the ranks, ties sharing their mean; equal to `scipy.stats.spearmanr`
 */
export function spearman(a: ArrayLike<Value>, b: ArrayLike<Value>): number | null {
  if (a.length !== b.length) {
    throw new RangeError(`spearman expected as many values in b as in a, ${a.length}, got ${b.length}.`);
  }
  const left: number[] = [];
  const right: number[] = [];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index], b[index]];
    if (x === null || y === null) continue;
    left.push(x);
    right.push(y);
  }
  requireFiniteValues('spearman', left);
  requireFiniteValues('spearman', right);
  if (constant(left) || constant(right)) return null;
  return Math.min(1, Math.max(-1, sampleRankCorrelation(left, right))); // rounding may step over 1
}

/**
 * Spearman's correlation between every two of several series over the same positions.
 *
 *     m series of n values  →  m×m, symmetric, 1 on the diagonal, null where there is no correlation
 *
 * Between metrics: a series for each metric, of each method's mean score, times −1 where lower is better, so that 1
 * means "ranks the methods alike". Between methods: a series for each method, of its scores over images.
 *
 * @throws RangeError when the lengths differ or a value is NaN or infinite
 */
export function agreement(series: readonly (readonly Value[])[]): Value[][] {
  return series.map((a) => series.map((b) => spearman(a, b)));
}

function constant(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]); // true for none
}
