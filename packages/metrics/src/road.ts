import type { Random } from '@cambium/gpu-kernels';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { type Imputer, imputer } from './impute.ts';
import { requireNumber } from './options.ts';
import { imageCost, imageOutput, type Output, predictEach, requireOutput } from './outputs.ts';
import { randomOf } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `road`. */
export interface RoadOptions {
  /** Percentiles of the map at which pixels are removed, each in [0, 100]. */
  readonly percentiles: readonly number[];
  /** Standard deviation of what is added to imputed pixels, in the units of the network's input. */
  readonly noise: number;
  readonly output: Output;
}

/**
 * Remove and debias: pixels are removed so that the model cannot see their shape, by imputing them from their surroundings.
 *
 *     most_q = f(x without the pixels at or above the q-th percentile of the map) − f(x)
 *     least_q = the same for the map turned round,  score = (mean least − mean most) / 2    in [−1, 1]
 *
 * Pixels are removed by threshold: of equal ones all go or none, so where the map has many ties a step can remove far more.
 * Where every pixel goes, the channels' means are left. Detail: both curves, by percentile.
 *
 * The form is that of pytorch-grad-cam's ROADCombined; the authors remove exact shares and report accuracies. Quantus's
 * fails for images of three channels.
 *
 * @source Rong et al. 2022, arXiv 2202.00449; spec 3.3
 */
export const road = defineMetric<RoadOptions>({
  name: 'road',
  title: 'ROAD',
  category: 'faithfulness',
  better: 'higher',
  source: 'Rong et al. 2022, arXiv 2202.00449',
  defaults: { percentiles: [10, 20, 30, 40, 50, 60, 70, 80, 90], noise: 0.01, output: 'probability' },
  needs: ['predict'],
  check({ percentiles, noise, output }) {
    if (!Array.isArray(percentiles) || percentiles.length === 0)
      throw new RangeError(
        `${this.name} expected percentiles to list at least one, got ${Array.isArray(percentiles) ? 'none' : String(percentiles)}.`,
      );
    for (const percentile of percentiles) requireNumber(this.name, 'percentiles', percentile, 0, 100);
    requireNumber(this.name, 'noise', noise, 0);
    requireOutput(this.name, output);
  },
  cost: ({ percentiles }) => ({ forwards: 2 * percentiles.length, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const { map } = subject;
    const shared = { ...options, random: randomOf(subject), impute: imputer(subject.image.shape) };
    const most = await removalCurve(subject, map.data, shared);
    const least = await removalCurve(
      subject,
      map.data.map((value) => -value),
      shared,
    );
    return { value: (meanOf(least) - meanOf(most)) / 2, detail: { most, least } };
  },
});

async function removalCurve(
  subject: Subject,
  relevance: Float32Array,
  { percentiles, noise, output, random, impute }: RoadOptions & { readonly random: Random; readonly impute: Imputer },
): Promise<number[]> {
  const ascending = relevance.slice().sort();
  const original = await imageOutput(subject, output);
  const outputs = await predictEach(subject, percentiles.length, output, (index, pixels) => {
    const threshold = percentileOf(ascending, percentiles[index]);
    const removed = atLeast(relevance, threshold);
    impute(pixels, removed);
    addNoise(pixels, removed, () => noise * random.normal());
  });
  return Array.from(outputs, (changed) => changed - original);
}

function atLeast(values: Float32Array, threshold: number): Uint8Array {
  const flags = new Uint8Array(values.length);
  for (let index = 0; index < flags.length; index++) flags[index] = Number(values[index] >= threshold);
  return flags;
}

/** Adds draws to the removed pixels of every channel. */
function addNoise(pixels: Float32Array, removed: Uint8Array, draw: () => number): void {
  for (let start = 0; start < pixels.length; start += removed.length) {
    for (let pixel = 0; pixel < removed.length; pixel++) if (removed[pixel]) pixels[start + pixel] += draw();
  }
}

/** A percentile by linear interpolation between the values in ascending order. */
function percentileOf(ascending: Float32Array, percentile: number): number {
  const position = (percentile / 100) * (ascending.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (position - below) * (ascending[above] - ascending[below]);
}
