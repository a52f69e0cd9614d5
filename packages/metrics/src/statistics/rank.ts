import { ascending } from '../order.ts';
import { requireFiniteValues, requireTable, type Table, type Value } from './values.ts';

/** Which end of a metric is good. */
export type Direction = 'higher' | 'lower';

/**
 * Ranks entrants by their scores: 1 is best.
 *
 *     scores of n entrants  →  n ranks in [1, n]
 *
 * Entrants with equal scores share the mean of the positions they take. Null stays null and takes no position.
 *
 * @throws RangeError when a value is NaN or infinite
 * @source spec 3.2
 */
export function rank(values: readonly Value[], better: Direction): Value[] {
  requireFiniteValues('rank', values);
  const sign = better === 'higher' ? -1 : 1;
  const places = values.flatMap((value, index) => (value === null ? [] : [index]));
  const shared = meanRanks(places.map((place) => sign * Number(values[place]))); // none of them is null
  const ranks: Value[] = values.map(() => null);
  for (const [position, place] of places.entries()) ranks[place] = shared[position];
  return ranks;
}

/**
 * Ranks from 1, smallest first; equal numbers share the mean of the positions they take.
 *
 * @throws RangeError for NaN, which has no place among numbers
 */
export function meanRanks(values: ArrayLike<number>): Float64Array<ArrayBuffer> {
  for (let index = 0; index < values.length; index++) {
    if (Number.isNaN(values[index])) throw new RangeError(`meanRanks expected numbers, got NaN at index ${index}.`);
  }
  const { order, keys } = ascending(values);
  const ranks = new Float64Array(order.length);
  for (let first = 0, next = 0; first < order.length; first = next) {
    next++;
    while (next < order.length && keys[next] === keys[first]) next++;
    for (let at = first; at < next; at++) ranks[order[at]] = (first + 1 + next) / 2; // the mean of first + 1 … next
  }
  return ranks;
}

/**
 * Each entrant's mean rank over the blocks (images) where it has a score; null where it has none.
 *
 *     table[block][entrant]  →  one mean rank for each entrant
 *
 * Where scores are missing, ranks of different blocks run to different numbers; `friedman` uses complete blocks only.
 *
 * @throws RangeError when the rows differ in length or a value is NaN or infinite
 */
export function averageRanks(table: Table, better: Direction): Value[] {
  const entrants = requireTable('averageRanks', table);
  const ranks = table.map((row) => rank(row, better));
  return Array.from({ length: entrants }, (_, entrant) => {
    const own = ranks.map((row) => row[entrant]).filter((value) => value !== null);
    return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

/**
 * Sizes of the groups of equal numbers, for the corrections that rank tests make for ties.
 */
export function tieSizes(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}
