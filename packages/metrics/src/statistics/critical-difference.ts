import jStat from 'jstat';
import { requireProbability } from './values.ts';

/**
 * Nemenyi's critical difference: two entrants whose mean ranks are further apart differ, at this level, whichever pair
 * of the k one looks at.
 *
 *     CD = q √(k(k+1)/(6n)),  q: the studentised range of k groups and ∞ degrees of freedom at 1−level, over √2
 *
 * @param entrants k, at least 2
 * @param blocks n, the images ranked, at least 1
 * @param level probability of calling any equal pair different, 0.05 by default
 * @returns a distance between mean ranks
 * @throws RangeError when a number is outside its range
 * @source Nemenyi 1963; Demšar 2006, JMLR 7, section 3.2.2 and table 5
 */
export function criticalDifference(entrants: number, blocks: number, level = 0.05): number {
  requireCount('entrants', entrants, 2);
  requireCount('blocks', blocks, 1);
  requireProbability('criticalDifference', 'level', level);
  const range = jStat.tukey.inv(1 - level, entrants, Number.POSITIVE_INFINITY) / Math.SQRT2;
  return range * Math.sqrt((entrants * (entrants + 1)) / (6 * blocks));
}

/**
 * Groups of entrants that the critical difference does not tell apart: the bars of a critical-difference diagram.
 *
 *     k mean ranks  →  lists of entrants, best first; maximal, of two or more
 */
export function indistinguishable(averageRanks: readonly number[], difference: number): number[][] {
  const order = averageRanks.map((_, entrant) => entrant).sort((a, b) => averageRanks[a] - averageRanks[b] || a - b);
  const groups: number[][] = [];
  let reached = 0;
  for (let first = 0; first < order.length; first++) {
    let end = first + 1;
    while (end < order.length && averageRanks[order[end]] - averageRanks[order[first]] <= difference) end++;
    if (end > reached && end - first > 1) groups.push(order.slice(first, end)); // else inside the group before
    reached = Math.max(reached, end);
  }
  return groups;
}

function requireCount(name: string, value: number, low: number): void {
  if (Number.isInteger(value) && value >= low) return;
  throw new RangeError(`criticalDifference expected ${name} to be a whole number from ${low}, got ${value}.`);
}
