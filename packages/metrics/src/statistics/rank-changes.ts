import { averageRanks, type Direction, rank } from './rank.ts';
import { requireTable, type Table, type Value } from './values.ts';

/** Places of several entrants, by their mean ranks, in two tables; 1 is best, equal mean ranks share a place. */
export interface RankChanges {
  readonly before: readonly Value[];
  readonly after: readonly Value[];
  /** Indices of the entrants whose place is another. */
  readonly moved: readonly number[];
}

/**
 * Which entrants (methods) change places when the same blocks (images) are scored again: in less precision, or elsewhere.
 *
 *     before[block][entrant], after[block][entrant]  →  the places of each entrant
 *
 * @throws RangeError when the tables differ in size, rows in length, or a value is NaN or infinite
 */
export function rankChanges(before: Table, after: Table, better: Direction): RankChanges {
  const entrants = requireTable('rankChanges', before);
  if (requireTable('rankChanges', after) !== entrants || after.length !== before.length) {
    throw new RangeError(
      `rankChanges expected a second table of ${before.length}×${entrants}, got ${after.length}×${after[0].length}.`,
    );
  }
  const [first, second] = [before, after].map((table) => rank(averageRanks(table, better), 'lower'));
  const moved = first.flatMap((place, entrant) => (place === second[entrant] ? [] : [entrant]));
  return { before: first, after: second, moved };
}
