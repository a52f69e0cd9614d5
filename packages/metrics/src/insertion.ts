import { type Shape, type Tensor, tensor } from '@cambium/gpu-kernels';
import { areaUnder } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { requireNumber, requireWhole } from './options.ts';
import { cut, ordered } from './order.ts';
import { type Output, type Replacement, requireOutput, sweepReplaced } from './outputs.ts';
import { stepRanges } from './replacement.ts';
import { riseBlur } from './rise-blur.ts';
import type { Cost, Metric, Score, Subject } from './types.ts';

/** Options of `insertion`. */
export interface InsertionOptions {
  /** Pixels, with all their channels, that appear at once. */
  readonly pixelsInStep: number;
  readonly output: Output;
}

/** Options of `deletion`. */
export interface DeletionOptions extends InsertionOptions {
  /** What a deleted pixel becomes, in the units of the network's input: 0 is the mean colour of a normalised image. */
  readonly baseline: number;
}

/**
 * How fast the class appears as pixels return to a blurred image, the most relevant first.
 *
 *     s_k = f(blurred image with its first k groups of pixels sharp), k = 0 … n = ⌈H·W / pixelsInStep⌉
 *     score = (Σ s_k − s_0/2 − s_n/2) / n
 *
 * Detail: the curve. Pixels of equal relevance appear in row-major order.
 *
 * @source Petsiuk et al. 2018 (RISE), arXiv 1806.07421; spec 3.5; the step of the authors' demonstration
 */
export const insertion: Metric<InsertionOptions> = defineMetric<InsertionOptions>({
  name: 'insertion',
  title: 'Insertion',
  category: 'faithfulness',
  better: 'higher',
  source: 'Petsiuk et al. 2018, arXiv 1806.07421',
  defaults: { pixelsInStep: 224, output: 'probability' },
  needs: ['predict'],
  check(options) {
    checkSteps(this.name, options);
  },
  cost: curveCost,
  async measure(subject, options) {
    return curveScore(subject, options, { from: riseBlur(subject.image), to: subject.image });
  },
});

/**
 * How fast the class is lost as pixels are deleted, the most relevant first: the curve of `insertion` from the image to
 * its baseline.
 *
 * @source Petsiuk et al. 2018 (RISE), arXiv 1806.07421; spec 3.5; the step of the authors' demonstration
 */
export const deletion: Metric<DeletionOptions> = defineMetric<DeletionOptions>({
  name: 'deletion',
  title: 'Deletion',
  category: 'faithfulness',
  better: 'lower',
  source: 'Petsiuk et al. 2018, arXiv 1806.07421',
  defaults: { pixelsInStep: 224, baseline: 0, output: 'probability' },
  needs: ['predict'],
  check(options) {
    checkSteps(this.name, options);
    requireNumber(this.name, 'baseline', options.baseline, Number.NEGATIVE_INFINITY);
  },
  cost: curveCost,
  async measure(subject, options) {
    const { data, shape } = subject.image;
    const blank = tensor(new Float32Array(data.length).fill(options.baseline), shape);
    return curveScore(subject, options, { from: subject.image, to: blank });
  },
});

function checkSteps(metric: string, { pixelsInStep, output }: InsertionOptions): void {
  requireWhole(metric, 'pixelsInStep', pixelsInStep, 1);
  requireOutput(metric, output);
}

function curveCost({ pixelsInStep }: InsertionOptions, [, height, width]: Shape): Cost {
  return { forwards: 1 + Math.ceil((height * width) / pixelsInStep), explanations: 0, shared: {} };
}

async function curveScore(
  subject: Subject,
  { pixelsInStep, output }: InsertionOptions,
  { from, to }: { from: Tensor; to: Tensor },
): Promise<Score> {
  const groups = cut(ordered(subject.map.data, 'descending'), pixelsInStep);
  const shape = [1, ...from.shape];
  const replacement: Replacement = {
    image: tensor(from.data, shape),
    fill: tensor(to.data, shape),
    ranks: tensor(ranksOf(groups, from), shape),
  };
  const curve = await sweepReplaced(subject, replacement, stepRanges(groups.length, 0), output);
  return { value: areaUnder(curve) / groups.length, detail: { curve: Array.from(curve) } };
}

/** Ranks of all features of an image C×H×W from groups of its pixels. */
function ranksOf(groups: readonly Uint32Array[], { data, shape }: Tensor): Float32Array<ArrayBuffer> {
  const ranks = new Float32Array(data.length);
  const pixels = shape[1] * shape[2];
  for (const [index, group] of groups.entries()) {
    for (const pixel of group) {
      for (let feature = pixel; feature < ranks.length; feature += pixels) ranks[feature] = index + 1;
    }
  }
  return ranks;
}
