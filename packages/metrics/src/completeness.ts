import { filled, numpyRandom, type Tensor } from '@cambium/gpu-kernels';
import { type Baseline, drawBaseline, levelsOf, requireBaseline } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { scaledAlone } from './noisy-maps.ts';
import type { Normalise } from './normalise.ts';
import { requireChoice } from './options.ts';
import { imageCost, imageOutput, predictRows, readOutput } from './outputs.ts';

/** Options of `completeness`. */
export interface CompletenessOptions {
  /** The image is compared with one of this value everywhere. */
  readonly baseline: Baseline;
  /** The map is scaled by itself, before `absolute`. */
  readonly normalise: Normalise;
  readonly absolute: boolean;
}

/**
 * How far the relevance of all pixels together is from what they do to the class's logit.
 *
 *     |Σ a − (z(x) − z(x̄))|,  x̄: the baseline everywhere
 *
 * From 0, in logits. Only a map in logits, such as gradient times input, can come near 0; of a map in [0, 1] it says
 * little. Detail: the two sides, `relevance` and `difference`.
 *
 * Quantus asks whether the two floats are equal, which practically never holds, scales the map by its maximum and
 * replaces one channel only. This is the residual of the paper's equation, on the map as it is.
 *
 * @source Sundararajan et al. 2017, arXiv 1703.01365, section 3; spec 2.6
 */
export const completeness = defineMetric<CompletenessOptions>({
  name: 'completeness',
  title: 'Completeness residual',
  category: 'axiomatic',
  better: 'lower',
  source: 'Sundararajan et al. 2017, arXiv 1703.01365',
  defaults: { baseline: 'black', normalise: 'none', absolute: false },
  needs: ['predict'],
  check({ baseline, normalise, absolute }) {
    requireBaseline(this.name, baseline);
    requireChoice(this.name, 'normalise', normalise, ['max', 'negative', 'second-moment', 'none']);
    requireChoice(this.name, 'absolute', absolute, [true, false]);
  },
  cost: () => ({ forwards: 1, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const { image, target, predict } = subject;
    const value = drawBaseline(options.baseline, levelsOf(image.data), subject.random ?? numpyRandom(0));
    const blank = await predictRows(predict, filled(value, 1, ...image.shape));
    const difference = (await imageOutput(subject, 'logit')) - readOutput(blank.data, target, 'logit');
    const relevance = sum(scaledAlone(subject.map, options));
    return { value: Math.abs(relevance - difference), detail: { relevance, difference } };
  },
});

function sum({ data }: Tensor): number {
  let total = 0;
  for (const value of data) total += value;
  return total;
}
