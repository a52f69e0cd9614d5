import { mean, quantileSorted, sampleStandardDeviation } from 'simple-statistics';
import { present, requireFiniteValues, type Value } from './values.ts';

/** Scores in a few numbers, all in the unit of the scores. */
export interface Summary {
  /** Scores that are there. */
  readonly count: number;
  /** Scores that are null. */
  readonly missing: number;
  readonly mean: number;
  readonly median: number;
  /** Of the sample, with count − 1; null for a single score. */
  readonly standardDeviation: Value;
  readonly minimum: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly maximum: number;
}

/**
 * Location and spread of scores. Nulls are counted and left out.
 *
 * @returns null when no score is there
 * @throws RangeError when a value is NaN or infinite
 * @source quartiles interpolate linearly between order statistics (Hyndman and Fan 1996, type 7), as NumPy does
 */
export function summarise(values: readonly Value[]): Summary | null {
  requireFiniteValues('summarise', values);
  const sorted = present(values).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  return {
    count: sorted.length,
    missing: values.length - sorted.length,
    mean: mean(sorted),
    median: quantileSorted(sorted, 0.5),
    standardDeviation: sorted.length > 1 ? sampleStandardDeviation(sorted) : null,
    minimum: sorted[0],
    lowerQuartile: quantileSorted(sorted, 0.25),
    upperQuartile: quantileSorted(sorted, 0.75),
    maximum: sorted[sorted.length - 1],
  };
}
