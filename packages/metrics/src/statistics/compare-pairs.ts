import { holm } from './holm.ts';
import type { Direction } from './rank.ts';
import { requireTable, type Table, type Value } from './values.ts';
import { wilcoxonSignedRank } from './wilcoxon.ts';

/** Two entrants on the same images. */
export interface PairComparison {
  readonly first: number;
  readonly second: number;
  /** Images on which the two differ. */
  readonly pairs: number;
  /** Two-sided, Wilcoxon's signed-rank test; 1 where the two never differ. */
  readonly pValue: number;
  /** The same after Holm's correction over all pairs. */
  readonly adjustedPValue: number;
  /** Rank-biserial, −1 to 1: positive where the first entrant is better; 0 where the two never differ. */
  readonly effectSize: number;
}

/**
 * Every pair of entrants: Wilcoxon's signed-rank test, corrected by Holm over all the pairs, and an effect size.
 *
 *     table[block][entrant], k entrants  →  k(k−1)/2 comparisons: (0,1), (0,2), …, (1,2), …
 *
 * @throws RangeError when the rows differ in length or a value is NaN or infinite
 * @source Demšar 2006; García and Herrera 2008 for Holm over all pairs
 */
export function comparePairs(table: Table, better: Direction): PairComparison[] {
  const entrants = requireTable('comparePairs', table);
  const column = (entrant: number): Value[] => table.map((row) => row[entrant]);
  const sign = better === 'higher' ? 1 : -1;
  const comparisons: Omit<PairComparison, 'adjustedPValue'>[] = [];
  for (let first = 0; first < entrants; first++) {
    for (let second = first + 1; second < entrants; second++) {
      const test = wilcoxonSignedRank(column(first), column(second));
      const effectSize = test ? sign * test.effectSize : 0;
      comparisons.push({ first, second, pairs: test?.pairs ?? 0, pValue: test?.pValue ?? 1, effectSize });
    }
  }
  const adjusted = holm(comparisons.map(({ pValue }) => pValue));
  return comparisons.map((comparison, index) => ({ ...comparison, adjustedPValue: adjusted[index] }));
}
