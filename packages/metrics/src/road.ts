import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import type { Removal } from './grid-solver.ts';
import { type Fill, imputer } from './impute.ts';
import { normalNoise } from './noisy-maps.ts';
import { requireChoice, requireNumber } from './options.ts';
import { ascendingValues, ordered } from './order.ts';
import {
  blank,
  defaultBatchSize,
  imageCost,
  imageOutput,
  type Output,
  predictWritten,
  requireOutput,
} from './outputs.ts';
import { randomOf } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `road`. */
export interface RoadOptions {
  /** Percentiles of the map at which pixels are removed, each in [0, 100]. */
  readonly percentiles: readonly number[];
  /**
   * Standard deviation of what is added to imputed pixels, in the units of the network's input: one number for each, the same
   * at all percentiles. Imputed pixels are right to about a tenth of it, in images more than a few pixels wide.
   */
  readonly noise: number;
  /** What goes at a percentile: all pixels at or above its `threshold`, or its exact `share`, as in the paper. */
  readonly removal: 'threshold' | 'share';
  readonly output: Output;
}

/**
 * Remove and debias: pixels are removed so that the model cannot see their shape, by imputing them from their surroundings.
 *
 *     most_q = f(x without the pixels at or above the q-th percentile of the map) − f(x)
 *     least_q = the same for the map turned round,  score = (mean least − mean most) / 2    in [−1, 1]
 *
 * By threshold, of equal pixels all go or none, so where the map has many ties a step can remove far more; by share, of equal ones
 * those go first that come first in row-major order. Where every pixel goes, the channels' means are left. Detail: both curves, by
 * percentile.
 *
 * The form is that of pytorch-grad-cam's ROADCombined; the authors remove exact shares (`removal: 'share'`) and report the accuracy
 * over a data set, which is no image's score. Quantus's fails for images of three channels.
 *
 * @source Rong et al. 2022, arXiv 2202.00449; spec 3.3
 */
export const road = defineMetric<RoadOptions>({
  name: 'road',
  title: 'ROAD',
  category: 'faithfulness',
  better: 'higher',
  source: 'Rong et al. 2022, arXiv 2202.00449',
  defaults: {
    percentiles: [10, 20, 30, 40, 50, 60, 70, 80, 90],
    noise: 0.01,
    removal: 'threshold',
    output: 'probability',
  },
  needs: ['predict'],
  check({ percentiles, noise, removal, output }) {
    if (!Array.isArray(percentiles) || percentiles.length === 0)
      throw new RangeError(
        `${this.name} expected percentiles to list at least one, got ${Array.isArray(percentiles) ? 'none' : String(percentiles)}.`,
      );
    for (const percentile of percentiles) requireNumber(this.name, 'percentiles', percentile, 0, 100);
    requireNumber(this.name, 'noise', noise, 0);
    requireChoice(this.name, 'removal', removal, ['threshold', 'share']);
    requireOutput(this.name, output);
  },
  cost: ({ percentiles }) => ({ forwards: 2 * percentiles.length, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const original = await imageOutput(subject, options.output);
    const { most, least } = removersOf(subject.map.data, options.removal);
    const { percentiles } = options;
    const fill = filler(subject, options.noise);
    const room = blank(subject.image, Math.min(subject.batchSize ?? defaultBatchSize, percentiles.length));
    const curve = async (remove: Remover) => {
      const write = (index: number, pixels: Float32Array) => fill(pixels, remove(percentiles[index]));
      const outputs = await predictWritten(subject, percentiles.length, options.output, write, room);
      return Array.from(outputs, (output) => output - original);
    };
    const curves = { most: await curve(most), least: await curve(least) };
    return { value: (meanOf(curves.least) - meanOf(curves.most)) / 2, detail: curves };
  },
});

/** What imputes, with noise that is drawn once: what a percentile adds to a pixel depends on no other percentile. */
function filler(subject: Subject, deviation: number): Fill {
  if (deviation === 0) return imputer(subject.image);
  const noise = new Float32Array(subject.image.data.length);
  normalNoise(deviation)(noise, randomOf(subject));
  return imputer(subject.image, { tolerance: deviation / 10, whole: false }, noise);
}

/** What goes at a percentile. */
type Remover = (percentile: number) => Removal;

/** What removes the most relevant pixels, and what removes those of the map turned round. */
function removersOf(relevance: Float32Array, removal: RoadOptions['removal']): { most: Remover; least: Remover } {
  if (removal === 'share') {
    return { most: shareRemover(relevance, 'descending'), least: shareRemover(relevance, 'ascending') };
  }
  const sorted = ascendingValues(relevance);
  const turned = { relevance: new Float32Array(sorted.length), sorted: new Float32Array(sorted.length) };
  for (let index = 0; index < sorted.length; index++) {
    turned.relevance[index] = -relevance[index];
    turned.sorted[index] = -sorted[sorted.length - 1 - index];
  }
  return {
    most: (percentile) => ({ relevance, threshold: percentileOf(sorted, percentile) }),
    least: (percentile) => ({ relevance: turned.relevance, threshold: percentileOf(turned.sorted, percentile) }),
  };
}

/** Removes by places in an order instead of values: exact in float32 up to 2^24 pixels. */
function shareRemover(relevance: Float32Array, direction: 'descending' | 'ascending'): Remover {
  const count = relevance.length;
  const places = new Float32Array(count);
  for (const [place, pixel] of ordered(relevance, direction).entries()) places[pixel] = count - place;
  return (percentile) => ({
    relevance: places,
    threshold: count + 1 - Math.round((1 - percentile / 100) * count),
  });
}

/** A percentile by linear interpolation between the values in ascending order. */
function percentileOf(sorted: Float32Array, percentile: number): number {
  const position = (percentile / 100) * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
