import jStat from 'jstat';
import { rank, tieSizes } from './rank.ts';
import { requireFiniteValues, type Value } from './values.ts';

/** Pairs up to here get the exact distribution; SciPy's limit. */
const EXACT_UP_TO = 50;

/** Do two entrants differ on the same images? */
export interface WilcoxonResult {
  /** Pairs that differ; equal pairs and pairs with a missing score are left out. */
  readonly pairs: number;
  /** Sum of the ranks of |a − b| where a is larger. */
  readonly positive: number;
  /** The same where b is larger. */
  readonly negative: number;
  /** Two-sided. */
  readonly pValue: number;
  readonly method: 'exact' | 'normal';
  /** Matched-pairs rank-biserial correlation (positive − negative)/(positive + negative), −1 to 1: the effect size. */
  readonly effectSize: number;
}

/**
 * Wilcoxon's signed-rank test of paired scores, two-sided.
 *
 *     a, b: scores of two entrants on the same images, of equal length
 *
 * Up to 50 differing pairs the p-value is exact: each of the 2ⁿ ways to give signs to the ranks counts the same, tied
 * ranks included. Above, the normal approximation with the correction for ties and without one for continuity.
 *
 * @returns null when no pair differs
 * @throws RangeError when the lengths differ or a value is NaN or infinite
 * @source Wilcoxon 1945; Kerby 2014 for the effect size; equal to `scipy.stats.wilcoxon(a, b)`, which permutes at
 * random where ranks tie and pairs are more than 13
 */
export function wilcoxonSignedRank(a: readonly Value[], b: readonly Value[]): WilcoxonResult | null {
  if (a.length !== b.length) {
    throw new RangeError(`wilcoxonSignedRank expected as many scores in b as in a, ${a.length}, got ${b.length}.`);
  }
  requireFiniteValues('wilcoxonSignedRank', a);
  requireFiniteValues('wilcoxonSignedRank', b);
  const differences = a.flatMap((value, index) => {
    const other = b[index];
    return value === null || other === null || value === other ? [] : [value - other];
  });
  if (differences.length === 0) return null;
  const sizes = differences.map(Math.abs);
  const ranks = rank(sizes, 'lower').map((value) => value ?? 0); // no nulls among the sizes
  const positive = ranks.reduce((sum, value, index) => sum + (differences[index] > 0 ? value : 0), 0);
  const total = (differences.length * (differences.length + 1)) / 2;
  const method = differences.length <= EXACT_UP_TO ? 'exact' : 'normal';
  return {
    pairs: differences.length,
    positive,
    negative: total - positive,
    pValue: method === 'exact' ? exactPValue(ranks, positive) : normalPValue(sizes, positive),
    method,
    effectSize: (2 * positive - total) / total,
  };
}

/** Counts sign patterns by their sum; ranks are halves of integers, so sums of doubled ranks index a table. */
function exactPValue(ranks: readonly number[], positive: number): number {
  const doubled = ranks.map((value) => Math.round(2 * value));
  const total = doubled.reduce((sum, value) => sum + value, 0);
  let share = new Float64Array(total + 1); // share[s]: probability that the positive ranks sum to s/2
  share[0] = 1;
  for (const value of doubled) {
    share = share.map((probability, sum) => 0.5 * (probability + (sum >= value ? share[sum - value] : 0)));
  }
  const sum = Math.round(2 * positive);
  const below = share.subarray(0, sum + 1).reduce((all, part) => all + part, 0);
  const above = share.subarray(sum).reduce((all, part) => all + part, 0);
  return Math.min(1, 2 * Math.min(below, above));
}

function normalPValue(sizes: readonly number[], positive: number): number {
  const count = sizes.length;
  const ties = tieSizes(sizes).reduce((sum, size) => sum + size ** 3 - size, 0);
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - ties / 48;
  const deviation = Math.abs(positive - (count * (count + 1)) / 4) / Math.sqrt(variance);
  return 2 * jStat.normal.cdf(-deviation, 0, 1);
}
