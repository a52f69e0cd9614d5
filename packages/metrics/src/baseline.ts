import type { Random } from '@cambium/gpu-kernels';

/**
 * What replaces a feature: the image's own minimum, maximum or mean over all channels, in the units of the network's
 * input (so black is not RGB 0); one uniform number in [0, 1); or a number in those units.
 */
export type Baseline = 'black' | 'white' | 'mean' | 'uniform' | number;

/** @throws RangeError unless the value names a baseline or is a finite number */
export function requireBaseline(metric: string, baseline: Baseline): void {
  if (typeof baseline === 'number' ? Number.isFinite(baseline) : names.includes(baseline)) return;
  throw new RangeError(`${metric} expected baseline to be one of ${names.join(', ')} or a number, got ${baseline}.`);
}

const names: readonly Baseline[] = ['black', 'white', 'mean', 'uniform'];

/** Values of an image of which baselines are made. */
export interface Levels {
  readonly black: number;
  readonly white: number;
  readonly mean: number;
}

/** Levels of an image over all its channels. */
export function levelsOf(values: Float32Array): Levels {
  let black = Number.POSITIVE_INFINITY;
  let white = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value < black) black = value;
    if (value > white) white = value;
    sum += value;
  }
  return { black, white, mean: sum / values.length };
}

/**
 * The number that replaces a feature. Every named baseline takes one uniform number from the stream, and only
 * `uniform` uses it: so does Quantus, and streams that interleave with other draws agree only that way.
 *
 * @source spec 0.6, "Trap"; spec 2.0, point 7
 */
export function drawBaseline(baseline: Baseline, levels: Levels, random: Random): number {
  if (typeof baseline === 'number') return baseline;
  const draw = random.uniform();
  return baseline === 'uniform' ? draw : levels[baseline];
}
