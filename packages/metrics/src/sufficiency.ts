import { defineMetric } from './define-metric.ts';
import { checkMapOptions, companionsOf, type MapOptions, mapDefaults, mapScaling, placeOf } from './normalise.ts';
import { requireNumber } from './options.ts';
import { imageCost, imageLogits } from './outputs.ts';
import { pairwiseDistances } from './pairwise-distances.ts';
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
