import type { Random } from '@cambium/gpu-kernels';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { imputePixels } from './impute.ts';
import { normalNoise } from './noisy-maps.ts';
import { requireChoice, requireNumber } from './options.ts';
import { ascending, ordered } from './order.ts';
import { imageCost, imageOutput, type Output, predictEach, requireOutput } from './outputs.ts';
import { randomOf } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `road`. */
export interface RoadOptions {
  /** Percentiles of the map at which pixels are removed, each in [0, 100]. */
  readonly percentiles: readonly number[];
  /** Standard deviation of what is added to imputed pixels, in the units of the network's input. */
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
    const { data } = subject.map;
    const { order } = ascending(data);
    const sorted = new Float32Array(order.length);
    for (let index = 0; index < order.length; index++) sorted[index] = data[order[index]];
    const original = await imageOutput(subject, options.output);
    const shared = { ...options, original, random: randomOf(subject) };
    const most = await removalCurve(subject, { relevance: data, sorted }, shared);
    const turned = { relevance: data.map((value) => -value), sorted: sorted.map((value) => -value).reverse() };
    const least = await removalCurve(subject, turned, shared);
    return { value: (meanOf(least) - meanOf(most)) / 2, detail: { most, least } };
  },
});

/** A map, and its values in ascending order. */
interface Ranked {
  readonly relevance: Float32Array;
  readonly sorted: Float32Array;
}

async function removalCurve(
  subject: Subject,
  map: Ranked,
  {
    percentiles,
    noise,
    removal,
    output,
    original,
    random,
  }: RoadOptions & { readonly original: number; readonly random: Random },
): Promise<number[]> {
  const add = normalNoise(noise);
  const room = new Float32Array(subject.image.data.length + 1);
  const remove = removal === 'share' ? shareRemover(map.relevance) : thresholdRemover(map);
  const outputs = await predictEach(subject, percentiles.length, output, (index, pixels) => {
    const removed = remove(percentiles[index]);
    imputePixels(pixels, removed, subject.image.shape);
    const numbers = gather(pixels, removed, room);
    add(numbers, random);
    scatter(numbers, pixels, removed);
  });
  return Array.from(outputs, (changed) => changed - original);
}

/** Flags of the pixels that go at a percentile. */
type Remover = (percentile: number) => Uint8Array;

function thresholdRemover({ relevance, sorted }: Ranked): Remover {
  return (percentile) => {
    const threshold = percentileOf(sorted, percentile);
    const flags = new Uint8Array(relevance.length);
    for (let index = 0; index < flags.length; index++) flags[index] = Number(relevance[index] >= threshold);
    return flags;
  };
}

function shareRemover(relevance: Float32Array): Remover {
  const order = ordered(relevance, 'descending');
  return (percentile) => {
    const flags = new Uint8Array(order.length);
    const count = Math.round((1 - percentile / 100) * order.length);
    for (const pixel of order.subarray(0, count)) flags[pixel] = 1;
    return flags;
  };
}

/** The removed pixels side by side, channel by channel; a pixel that stays is written, and written over. */
function gather(pixels: Float32Array, removed: Uint8Array, numbers: Float32Array): Float32Array {
  let end = 0;
  for (let start = 0; start < pixels.length; start += removed.length) {
    for (let pixel = 0; pixel < removed.length; pixel++) {
      numbers[end] = pixels[start + pixel];
      end += removed[pixel];
    }
  }
  return numbers.subarray(0, end);
}

function scatter(numbers: Float32Array, pixels: Float32Array, removed: Uint8Array): void {
  let at = 0;
  for (let start = 0; start < pixels.length; start += removed.length) {
    for (let pixel = 0; pixel < removed.length; pixel++) if (removed[pixel]) pixels[start + pixel] = numbers[at++];
  }
}

/** A percentile by linear interpolation between the values in ascending order. */
function percentileOf(sorted: Float32Array, percentile: number): number {
  const position = (percentile / 100) * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
