import { defineMetric } from './define-metric.ts';
import {
  checkMapOptions,
  companionsOf,
  type MapOptions,
  type MapScaling,
  mapDefaults,
  mapScaling,
  placeOf,
} from './normalise.ts';
import { requireNumber } from './options.ts';
import { imageCost, imageLogits } from './outputs.ts';
import { predictedClass } from './softmax.ts';
import { keyOfMap } from './sweep-cache.ts';
import type { Subject } from './types.ts';

/** Options of `sufficiency`. */
export interface SufficiencyOptions extends MapOptions {
  /** Largest distance of a neighbour, as a share of the largest distance between any two maps; in [0, 1]. */
  readonly threshold: number;
}

/**
 * Whether images with like maps get like predictions.
 *
 *     d(i, j) = √Σ (aᵢ − aⱼ)² / var  over the largest such distance,  score = share of {j ≠ i : d(i, j) ≤ threshold}
 *     that the model gives i's class    in [0, 1], 0 without neighbours
 *
 * Variances are each pixel's over the companions, with n − 1; a pixel that never varies adds nothing. Detail: the number
 * of neighbours.
 *
 * @source Dasgupta et al. 2022, arXiv 2202.00734; spec 2.6; defaults of Quantus
 */
export const sufficiency = defineMetric<SufficiencyOptions>({
  name: 'sufficiency',
  title: 'Sufficiency',
  category: 'faithfulness',
  better: 'higher',
  source: 'Dasgupta et al. 2022, arXiv 2202.00734',
  defaults: { ...mapDefaults, absolute: true, threshold: 0.6 },
  needs: ['predict', 'companions'],
  check(options) {
    checkMapOptions(this.name, options);
    requireNumber(this.name, 'threshold', options.threshold, 0, 1);
  },
  cost: () => ({ forwards: 0, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const companions = companionsOf(subject);
    const place = placeOf(subject);
    if (place < 0 || companions.length < 2) {
      return { value: null, reason: 'sufficiency compares a subject with its companions: name itself and another.' };
    }
    if (companions.some(({ map }) => map.data.length !== subject.map.data.length)) {
      return { value: null, reason: 'sufficiency compares maps of one size; those of the companions differ.' };
    }
    const distances = await distancesBetween(companions, options);
    const largest = distances.reduce((most, row) => Math.max(most, ...row), 0);
    if (largest === 0)
      return { value: null, reason: 'sufficiency has no scale: the maps of all companions are equal.' };
    const near = companions.filter(
      (_, other) => other !== place && distances[place][other] / largest <= options.threshold,
    );
    const own = predictedClass(await imageLogits(subject));
    let alike = 0;
    for (const neighbour of near) alike += Number(predictedClass(await imageLogits(neighbour)) === own);
    return { value: near.length === 0 ? 0 : alike / near.length, detail: { neighbours: near.length } };
  },
});

/** The distances between all companions' maps: the same for each of them, so the first one's cache keeps them for all. */
function distancesBetween(companions: readonly Subject[], options: SufficiencyOptions): Promise<number[][]> {
  const work = async () => pairwiseDistances(companions.map((companion) => mapScaling(companion, options)));
  const [{ sweeps }] = companions;
  if (!sweeps) return work();
  const { normalise, normaliseScope, absolute } = options;
  const maps = companions.map(({ map }) => keyOfMap(map));
  return sweeps.once(`sufficiency/${normalise}/${normaliseScope}/${absolute}/${maps.join()}`, work);
}

/** Pixels whose variances and differences are taken together: they stay in near memory. */
const BLOCK = 2048;

/** Standardised Euclidean distances between scaled maps; symmetric. */
function pairwiseDistances(maps: readonly MapScaling[]): number[][] {
  const squares = maps.map(() => maps.map(() => 0));
  const scales = variances(Math.min(BLOCK, maps[0].size));
  for (let start = 0; start < maps[0].size; start += BLOCK) {
    const parts = maps.map(({ scaled }) => scaled(start, start + BLOCK));
    const inverse = scales.invert(parts);
    for (let row = 0; row < maps.length; row++) {
      for (let column = 0; column < row; column++) {
        squares[row][column] += scaledSquares(parts[row], parts[column], inverse);
        squares[column][row] = squares[row][column];
      }
    }
  }
  return squares.map((row) => row.map(Math.sqrt));
}

/** Makes one over each pixel's variance over parts of maps, 0 where it has none, in the same memory every time. */
function variances(most: number): { invert(parts: readonly Float32Array[]): Float64Array } {
  const means = new Float64Array(most);
  const squares = new Float64Array(most);
  return {
    invert(parts) {
      const { length } = parts[0];
      means.fill(0);
      squares.fill(0);
      for (const part of parts) for (let pixel = 0; pixel < length; pixel++) means[pixel] += part[pixel];
      for (const part of parts) addSquares(squares, part, means, 1 / parts.length);
      for (let pixel = 0; pixel < length; pixel++) {
        squares[pixel] = squares[pixel] > 0 ? (parts.length - 1) / squares[pixel] : 0;
      }
      return squares;
    },
  };
}

function addSquares(squares: Float64Array, part: Float32Array, sums: Float64Array, share: number): void {
  for (let pixel = 0; pixel < part.length; pixel++) {
    const difference = part[pixel] - share * sums[pixel];
    squares[pixel] += difference * difference;
  }
}

function scaledSquares(left: Float32Array, right: Float32Array, scales: Float64Array): number {
  let sum = 0;
  for (let pixel = 0; pixel < left.length; pixel++) {
    const difference = left[pixel] - right[pixel];
    sum += scales[pixel] * difference * difference;
  }
  return sum;
}
