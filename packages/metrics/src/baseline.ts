import type { Random, Tensor } from '@cambium/gpu-kernels';
import { requireWhole } from './options.ts';

/**
 * What replaces a feature: the image's own minimum, maximum or mean over all channels, in the units of the network's
 * input (so black is not RGB 0); one uniform number in [0, 1); or a number in those units.
 */
export type Baseline = 'black' | 'white' | 'mean' | 'uniform' | number;

/** A baseline, or for each feature a number of its own, uniform between the image's minimum and maximum. */
export type Substitute = Baseline | 'random-pixels';

/** @throws RangeError unless the value names a baseline, or one of `more`, or is a finite number */
export function requireBaseline(metric: string, baseline: Substitute, more: readonly Substitute[] = []): void {
  const choices = [...names, ...more];
  if (typeof baseline === 'number' ? Number.isFinite(baseline) : choices.includes(baseline)) return;
  throw new RangeError(`${metric} expected baseline to be one of ${choices.join(', ')} or a number, got ${baseline}.`);
}

const names: readonly Baseline[] = ['black', 'white', 'mean', 'uniform'];

/** Whether two draws of a substitute differ. */
export function isDrawn(substitute: Substitute): boolean {
  return substitute === 'uniform' || substitute === 'random-pixels';
}

/** @throws RangeError unless the value is a whole number from 1, and 1 where every draw is the same */
export function requireDraws(metric: string, option: string, draws: number, substitute: Substitute): void {
  requireWhole(metric, option, draws, 1);
  if (draws === 1 || isDrawn(substitute)) return;
  throw new RangeError(
    `${metric} expected ${option} to be 1 with baseline ${substitute}, which is the same at every draw, got ${draws}.`,
  );
}

/** A whole image of what replaces features that are drawn one by one, in their order: C·H·W numbers. */
export function drawPixels({ data }: Tensor, random: Random): Float32Array<ArrayBuffer> {
  const { black, white } = levelsOf(data);
  return Float32Array.from(data, () => random.uniformBetween(black, white));
}

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
