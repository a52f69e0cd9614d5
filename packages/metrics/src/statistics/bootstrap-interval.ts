import type { Random } from '@cambium/gpu-kernels';
import { mean, quantileSorted } from 'simple-statistics';
import { present, requireFiniteValues, requireProbability, type Value } from './values.ts';

/** How to resample. */
export interface BootstrapOptions {
  /** Whose uncertainty; the mean unless given. */
  readonly statistic?: (values: readonly number[]) => number;
  /** Resamples, 10,000 unless given. */
  readonly resamples?: number;
  /** Share of the resampled statistics inside the interval, 0.95 unless given. */
  readonly level?: number;
  readonly random: Random;
}

/** Bounds of a statistic, in its unit. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The percentile bootstrap interval of a statistic over images.
 *
 * Nulls are left out. Draws n indices for each resample in turn, so with `numpyRandom(seed)` it equals
 * `scipy.stats.bootstrap(…, method='percentile', random_state=numpy.random.RandomState(seed))`. With ten images it is too
 * narrow: percentile intervals of small samples cover less than their level says.
 *
 * @returns null when no score is there; both bounds equal for a single score
 * @throws RangeError when a value is NaN or infinite, `resamples` no positive integer or `level` not inside 0 to 1
 * @source Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13
 */
export function bootstrapInterval(values: readonly Value[], options: BootstrapOptions): Interval | null {
  const { statistic = mean, resamples = 10_000, level = 0.95, random } = options;
  requireFiniteValues('bootstrapInterval', values);
  requireProbability('bootstrapInterval', 'level', level);
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new RangeError(`bootstrapInterval expected resamples to be a whole number from 1, got ${resamples}.`);
  }
  const sample = present(values);
  if (sample.length === 0) return null;
  const statistics = new Float64Array(resamples);
  const resample = new Array<number>(sample.length);
  for (let round = 0; round < resamples; round++) {
    for (let i = 0; i < sample.length; i++) resample[i] = sample[random.interval(sample.length - 1)];
    statistics[round] = statistic(resample);
  }
  const sorted = [...statistics.sort()];
  const tail = (1 - level) / 2;
  return { low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail) };
}
