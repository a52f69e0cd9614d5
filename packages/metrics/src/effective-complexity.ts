import type { Random, Tensor } from '@cambium/gpu-kernels';
import { drawBaseline, drawPixels, isDrawn, levelsOf, requireBaseline, type Substitute } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireNumber, requireWhole } from './options.ts';
import { cut, ordered } from './order.ts';
import { imageCost, imageOutput, type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { inAllChannels, randomOf, replaceByImage, stepRanges } from './replacement.ts';
import type { Score, Subject } from './types.ts';

/** Options of `effectiveComplexity`. */
export interface EffectiveComplexityOptions extends MapOptions {
  /** `relevant`: the pixels with relevance, as in Quantus. `sufficient`: the fewest that keep the output, as in the paper. */
  readonly pixels: 'relevant' | 'sufficient';
  /** Relevance counts where its magnitude, after scaling, is larger; for `sufficient` the largest mean squared change of the output. */
  readonly eps: number;
  /** Pixels, with all their channels, that come back at once; for `sufficient`, as what follows. */
  readonly pixelsInStep: number;
  readonly baseline: Substitute;
  /** Draws of the baseline over which the change is averaged, for one that is drawn; else 1 is taken. */
  readonly samples: number;
  readonly output: Output;
}

/**
 * How many pixels have any relevance to speak of: those whose magnitude exceeds `eps`. A whole number in 0 … H·W.
 *
 * `sufficient`: the smallest number of pixels, most relevant first, that keeps the output when the others are replaced,
 *
 *     min k : mean over draws of (f(x) − f(x with only the first k pixels))² ≤ eps,  k = 0, pixelsInStep, …, H·W
 *
 * of which the detail has the changes by step.
 *
 * @source Nguyen and Martínez 2020, arXiv 2007.07584, section 3.3 (`pixels: 'sufficient'`); spec 2.6: the threshold and the defaults
 * are those of Quantus
 */
export const effectiveComplexity = defineMetric<EffectiveComplexityOptions>({
  name: 'effective-complexity',
  title: 'Effective complexity',
  category: 'complexity',
  better: 'lower',
  source: 'Nguyen & Martínez 2020, arXiv 2007.07584',
  defaults: {
    ...mapDefaults,
    absolute: true,
    pixels: 'relevant',
    eps: 1e-5,
    pixelsInStep: 224,
    baseline: 'random-pixels',
    samples: 10,
    output: 'probability',
  },
  needs: [],
  check(options) {
    checkMapOptions(this.name, options);
    requireChoice(this.name, 'pixels', options.pixels, ['relevant', 'sufficient']);
    requireNumber(this.name, 'eps', options.eps, 0);
    requireWhole(this.name, 'pixelsInStep', options.pixelsInStep, 1);
    requireBaseline(this.name, options.baseline, ['random-pixels']);
    requireWhole(this.name, 'samples', options.samples, 1);
    requireOutput(this.name, options.output);
  },
  cost({ pixels, pixelsInStep, samples, baseline }, [, height, width]) {
    if (pixels === 'relevant') return { forwards: 0, explanations: 0, shared: {} };
    const steps = 1 + Math.ceil((height * width) / pixelsInStep);
    return { forwards: steps * (isDrawn(baseline) ? samples : 1), explanations: 0, shared: imageCost };
  },
  async measure(subject, options) {
    if (options.pixels === 'sufficient') return fewestSufficient(subject, options);
    const { data } = subjectMap(subject, options);
    let count = 0;
    for (const value of data) if (Math.abs(value) > options.eps) count++;
    return { value: count };
  },
});

async function fewestSufficient(subject: Subject, options: EffectiveComplexityOptions): Promise<Score> {
  const magnitudes = subjectMap(subject, options).data.map(Math.abs);
  const groups = cut(ordered(magnitudes, 'descending'), options.pixelsInStep);
  const original = await imageOutput(subject, options.output);
  const draws = isDrawn(options.baseline) ? options.samples : 1;
  const random = randomOf(subject);
  const features = inAllChannels(groups, subject.image);
  const changes: number[] = Array.from({ length: groups.length + 1 }, () => 0);
  for (let draw = 0; draw < draws; draw++) {
    const { image, fill, ranks } = replaceByImage(subject.image, features, blank(subject.image, options, random));
    const returning = { image: fill, fill: image, ranks };
    const outputs = await sweepReplaced(subject, returning, stepRanges(groups.length, 0), options.output);
    for (const [step, output] of outputs.entries()) changes[step] += (original - output) ** 2 / draws;
  }
  const found = changes.findIndex((change) => change <= options.eps);
  const step = found < 0 ? groups.length : found; // rounding may leave a little even where all have come back
  const pixels = Math.min(step * options.pixelsInStep, magnitudes.length);
  return { value: pixels, detail: { changes } };
}

/** What an image is replaced by throughout, C·H·W. */
function blank(image: Tensor, { baseline }: EffectiveComplexityOptions, random: Random): Float32Array<ArrayBuffer> {
  if (baseline === 'random-pixels') return drawPixels(image, random);
  return new Float32Array(image.data.length).fill(drawBaseline(baseline, levelsOf(image.data), random));
}
