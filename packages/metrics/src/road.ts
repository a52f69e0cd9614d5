import type { Tensor } from '@cambium/gpu-kernels';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { impute } from './impute.ts';
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
    if (percentiles.length === 0)
      throw new RangeError(`${this.name} expected percentiles to list at least one, got none.`);
    for (const percentile of percentiles) requireNumber(this.name, 'percentiles', percentile, 0, 100);
    requireNumber(this.name, 'noise', noise, 0);
    requireOutput(this.name, output);
  },
  cost: ({ percentiles }) => ({ forwards: 2 * percentiles.length, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const { map } = subject;
    const most = await removalCurve(subject, map.data, options);
    const least = await removalCurve(
      subject,
      map.data.map((value) => -value),
      options,
    );
    return { value: (meanOf(least) - meanOf(most)) / 2, detail: { most, least } };
  },
});

async function removalCurve(
  subject: Subject,
  relevance: Float32Array,
  { percentiles, noise, output }: RoadOptions,
): Promise<number[]> {
  const random = randomOf(subject);
  const ascending = relevance.slice().sort();
  const original = await imageOutput(subject, output);
  const outputs = await predictEach(subject, percentiles.length, output, (index, pixels) => {
    const threshold = percentileOf(ascending, percentiles[index]);
    const removed = Uint8Array.from(relevance, (value) => Number(value >= threshold));
    pixels.set(noisy(impute(subject.image, removed), removed, () => noise * random.normal()));
  });
  return Array.from(outputs, (changed) => changed - original);
}

/** Adds draws to the removed pixels of every channel. */
function noisy({ data }: Tensor, removed: Uint8Array, draw: () => number): Float32Array {
  return data.map((value, feature) => (removed[feature % removed.length] ? value + draw() : value));
}

/** A percentile by linear interpolation between the values in ascending order. */
function percentileOf(ascending: Float32Array, percentile: number): number {
  const position = (percentile / 100) * (ascending.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (position - below) * (ascending[above] - ascending[below]);
}
