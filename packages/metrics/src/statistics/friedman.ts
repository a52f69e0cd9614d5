import jStat from 'jstat';
import { averageRanks, type Direction, tieSizes } from './rank.ts';
import { completeRows, requireTable, type Table } from './values.ts';

/** Do the entrants differ at all? */
export interface FriedmanResult {
  /** χ², corrected for ties; 0 when every block ties all entrants. */
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  /** Probability of at least this statistic if entrants are interchangeable (χ² approximation, accurate to 1e-12). */
  readonly pValue: number;
  /** Blocks with every score; the others are left out. */
  readonly blocks: number;
  /** Mean rank of each entrant over those blocks, 1 is best. */
  readonly averageRanks: readonly number[];
}

/**
 * Friedman's test: are the mean ranks of entrants over blocks further apart than chance would have them?
 *
 *     table[block][entrant], k ≥ 3 entrants, n complete blocks
 *     χ² = (12/(n·k(k+1)) Σ R_j² − 3n(k+1)) / (1 − Σ(t³−t)/(n·k(k²−1))),  R_j: rank sums, t: sizes of ties
 *
 * The χ² approximation is good for n > 10 or k > 5 (Demšar 2006); below, read the p-value as a rough guide.
 *
 * @returns null when fewer than two blocks are complete
 * @throws RangeError when there are fewer than three entrants, rows differ in length or a value is NaN or infinite
 * @source Friedman 1937; Demšar 2006, JMLR 7, section 3.2.2; equal to `scipy.stats.friedmanchisquare`
 */
export function friedman(table: Table, better: Direction): FriedmanResult | null {
  const entrants = requireTable('friedman', table, 3);
  const complete = completeRows(table);
  const blocks = complete.length;
  if (blocks < 2) return null;
  const ranks = averageRanks(complete, better).map((value) => value ?? 0); // complete rows: none is null
  const spread = ranks.reduce((sum, value) => sum + (value * blocks) ** 2, 0);
  const uncorrected = (12 * spread) / (blocks * entrants * (entrants + 1)) - 3 * blocks * (entrants + 1);
  const ties = complete.flatMap((row) => tieSizes(row).map((size) => size ** 3 - size));
  const correction = 1 - ties.reduce((sum, tie) => sum + tie, 0) / (blocks * entrants * (entrants ** 2 - 1));
  const statistic = correction > 0 ? Math.max(uncorrected / correction, 0) : 0; // all tied: nothing differs
  return {
    statistic,
    degreesOfFreedom: entrants - 1,
    pValue: 1 - jStat.chisquare.cdf(statistic, entrants - 1),
    blocks,
    averageRanks: ranks,
  };
}
