import { rows, type Tensor } from '@cambium/gpu-kernels';
import { defineMetric } from './define-metric.ts';
import { checkNoiseOptions, type NoiseOptions, noisyCopies, scaledAlone, uniformNoise } from './noisy-maps.ts';
import { requireChoice, requireNumber } from './options.ts';
import { imageCost, imageLogits, predictRows } from './outputs.ts';
import { predictedClass } from './softmax.ts';
import type { Score, Subject } from './types.ts';

/** Stands in for a zero that would be divided by. */
const LEAST = 1e-6;

/** Options of `relativeInputStability`. */
export interface RelativeInputStabilityOptions extends NoiseOptions {
  /** Noise is uniform in [low, high), in the units of the network's input. */
  readonly low: number;
  readonly high: number;
  /**
   * What a noisy copy of which the model predicts another class does: it takes the score away, as in Quantus; it is left out,
   * as in the paper; or it counts, and nothing is predicted.
   */
  readonly whenPredictionChanges: 'refuse' | 'skip' | 'score';
}

/**
 * The largest relative change of the map for a relative change of the image.
 *
 *     max over noisy x′ of ‖(E(x) − E(x′)) / E(x)‖₂ / ‖(x − x′) / x‖₂,  quotients number by number
 *
 * From 0. A zero below a fraction line counts as 10⁻⁶, so the zeros of rectified maps dominate. Detail: the quotient of
 * each noisy copy that counts. The paper takes only x′ of the same predicted class (`whenPredictionChanges: 'skip'`) and
 * noise of both signs (`low: -high`).
 *
 * @source Agarwal et al. 2022, arXiv 2203.06877, eq. 2; spec 2.6; defaults of Quantus, whose noise is positive only
 */
export const relativeInputStability = defineMetric<RelativeInputStabilityOptions>({
  name: 'relative-input-stability',
  title: 'Relative input stability',
  category: 'robustness',
  better: 'lower',
  source: 'Agarwal et al. 2022, arXiv 2203.06877',
  defaults: {
    samples: 200,
    low: 0.02,
    high: 0.2,
    whenPredictionChanges: 'refuse',
    normalise: 'none',
    absolute: false,
  },
  needs: ['predict', 'explain'],
  check(options) {
    checkNoiseOptions(this.name, options);
    requireNumber(this.name, 'low', options.low, -Number.MAX_VALUE);
    requireNumber(this.name, 'high', options.high, -Number.MAX_VALUE);
    if (options.low > options.high) {
      throw new RangeError(
        `${this.name} expected low to be a number up to high, which is ${options.high}, got ${options.low}.`,
      );
    }
    requireChoice(this.name, 'whenPredictionChanges', options.whenPredictionChanges, ['refuse', 'skip', 'score']);
  },
  cost: ({ samples, whenPredictionChanges }) =>
    whenPredictionChanges === 'score'
      ? { forwards: 0, explanations: samples, shared: {} }
      : { forwards: samples, explanations: samples, shared: imageCost },
  measure: largestChange,
});

async function largestChange(subject: Subject, options: RelativeInputStabilityOptions): Promise<Score> {
  const map = scaledAlone(subject.map, options);
  const { whenPredictionChanges } = options;
  const before = whenPredictionChanges === 'score' ? undefined : predictedClass(await imageLogits(subject));
  const quotients: number[] = [];
  for await (const { copies, images } of noisyCopies(subject, options, uniformNoise(options.low, options.high))) {
    const after = before === undefined ? [] : await predictions(subject, images);
    const changed = after.find((predicted) => predicted !== before);
    if (changed !== undefined && whenPredictionChanges === 'refuse') {
      return { value: null, reason: `The noise changes the predicted class from ${before} to ${changed}.` };
    }
    for (const [index, copy] of copies.entries()) {
      if (before !== undefined && after[index] !== before) continue;
      // noise of 0 leaves the image as it is
      quotients.push(relativeChange(map, copy.map) / (relativeChange(subject.image, copy.image) || LEAST));
    }
  }
  if (quotients.length > 0) return { value: Math.max(...quotients), detail: { quotients } };
  return { value: null, reason: `The noise changes the predicted class from ${before} in every copy.` };
}

async function predictions({ predict }: Subject, images: Tensor): Promise<number[]> {
  const logits = await predictRows(predict, images);
  return Array.from({ length: images.shape[0] }, (_, row) => predictedClass(rows(logits, row, row + 1).data));
}

function relativeChange(before: Tensor, after: Tensor): number {
  let squares = 0;
  const [own, other] = [before.data, after.data];
  for (let index = 0; index < own.length; index++) {
    const change = (own[index] - other[index]) / (own[index] || LEAST);
    squares += change * change;
  }
  return Math.sqrt(squares);
}
