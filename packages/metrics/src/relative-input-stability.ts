import { rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { defineMetric } from './define-metric.ts';
import {
  checkNoiseOptions,
  type NoiseOptions,
  type NoisyCopy,
  noisyCopies,
  scaledAlone,
  uniformNoise,
} from './noisy-maps.ts';
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
  /** Whether noise that makes the model predict another class takes the score away; `score` predicts nothing. */
  readonly whenPredictionChanges: 'score' | 'refuse';
}

/**
 * The largest relative change of the map for a relative change of the image.
 *
 *     max over noisy x′ of ‖(E(x) − E(x′)) / E(x)‖₂ / ‖(x − x′) / x‖₂,  quotients number by number
 *
 * From 0. A zero below a fraction line counts as 10⁻⁶, so the zeros of rectified maps dominate. Detail: the quotient of
 * each noisy copy.
 *
 * @source Agarwal et al. 2022, arXiv 2203.06877, eq. 2 (there only x′ of the same predicted class); spec 2.6; defaults
 * of Quantus, whose noise is positive only
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
    requireNumber(this.name, 'high', options.high, options.low);
    requireChoice(this.name, 'whenPredictionChanges', options.whenPredictionChanges, ['score', 'refuse']);
  },
  cost: ({ samples, whenPredictionChanges }) =>
    whenPredictionChanges === 'refuse'
      ? { forwards: samples, explanations: samples, shared: imageCost }
      : { forwards: 0, explanations: samples, shared: {} },
  measure: largestChange,
});

async function largestChange(subject: Subject, options: RelativeInputStabilityOptions): Promise<Score> {
  const map = scaledAlone(subject.map, options);
  const guarded = options.whenPredictionChanges === 'refuse';
  const before = guarded ? predictedClass(await imageLogits(subject)) : undefined;
  const quotients: number[] = [];
  for await (const copies of noisyCopies(subject, options, uniformNoise(options.low, options.high))) {
    if (guarded) {
      const after = (await predictions(subject, copies)).find((predicted) => predicted !== before);
      if (after !== undefined) {
        return { value: null, reason: `The noise changes the predicted class from ${before} to ${after}.` };
      }
    }
    for (const copy of copies) {
      // noise of 0 leaves the image as it is
      quotients.push(relativeChange(map, copy.map) / (relativeChange(subject.image, copy.image) || LEAST));
    }
  }
  return { value: Math.max(...quotients), detail: { quotients } };
}

async function predictions(subject: Subject, copies: readonly NoisyCopy[]): Promise<number[]> {
  const size = subject.image.data.length;
  const images = new Float32Array(copies.length * size);
  for (const [index, { image }] of copies.entries()) images.set(image.data, index * size);
  const logits = await predictRows(subject.predict, tensor(images, [copies.length, ...subject.image.shape]));
  return copies.map((_, index) => predictedClass(rows(logits, index, index + 1).data));
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
