import type { Random } from '@cambium/gpu-kernels';
import { drawBaseline, levelsOf } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { checkFeatureSteps, type FeatureStepOptions, featureGroups, stepCount } from './feature-steps.ts';
import { mapDefaults, subjectMap } from './normalise.ts';
import { requireNumber, requireWhole } from './options.ts';
import { copies, defaultBatchSize, imageCost, imageOutput, sweepReplaced } from './outputs.ts';
import { type Groups, groupSums, randomOf, replacing, singleRanges } from './replacement.ts';
import { spearman } from './statistics/agreement.ts';
import type { Subject } from './types.ts';

/** Options of `monotonicityCorrelation`. */
export interface MonotonicityCorrelationOptions extends FeatureStepOptions {
  /** Replacements of each group. */
  readonly samples: number;
  /** An output below it does not scale the variances. */
  readonly epsilon: number;
}

/**
 * Whether the relevance of groups of features grows with the uncertainty that replacing them brings.
 *
 *     v_g = mean over samples of (f(x without g) − f(x))² / f(x)²,  score = Spearman(Σ_{i ∈ g} aᵢ, v_g)    in [−1, 1]
 *
 * Groups are cut from the features in ascending order of relevance. Where f(x) < ε the variances are not divided.
 *
 * @source Nguyen & Martínez 2020, arXiv 2007.07584; spec 2.6; defaults of Quantus
 */
export const monotonicityCorrelation = defineMetric<MonotonicityCorrelationOptions>({
  name: 'monotonicity-correlation',
  title: 'Monotonicity correlation',
  category: 'faithfulness',
  better: 'higher',
  source: 'Nguyen & Martínez 2020, arXiv 2007.07584',
  defaults: {
    ...mapDefaults,
    absolute: true,
    samples: 100,
    epsilon: 1e-5,
    featuresInStep: 1,
    order: 'relevance',
    baseline: 'uniform',
    output: 'probability',
  },
  needs: ['predict'],
  check(options, image) {
    checkFeatureSteps(this.name, options, image);
    requireWhole(this.name, 'samples', options.samples, 1);
    requireNumber(this.name, 'epsilon', options.epsilon, 0);
  },
  cost: ({ featuresInStep, samples, baseline }, image) => ({
    forwards: stepCount(featuresInStep, image) * (baseline === 'uniform' ? samples : 1),
    explanations: 0,
    shared: imageCost,
  }),
  async measure(subject, options) {
    const map = subjectMap(subject, options);
    const groups = featureGroups(map, subject.image.shape[0], options, 'ascending');
    const value = spearman(groupSums(map, groups), await variances(subject, groups, options));
    if (value !== null) return { value };
    return { value: null, reason: 'monotonicity-correlation: all groups hold, or all change the output, alike.' };
  },
});

/** Mean squared change of the output for each group. */
async function variances(
  subject: Subject,
  groups: Groups,
  options: MonotonicityCorrelationOptions,
): Promise<Float64Array> {
  const original = await imageOutput(subject, options.output);
  const scale = original < options.epsilon ? 1 : original ** 2;
  const changes = new Float64Array(groups.length);
  const batch = subject.batchSize ?? defaultBatchSize;
  const portion = batch * Math.ceil(1024 / batch); // the draws of so many groups are alive at once
  const random = randomOf(subject);
  for (let start = 0; start < groups.length; start += portion) {
    const squares = await squaredChanges(subject, groups.slice(start, start + portion), {
      ...options,
      original,
      random,
    });
    for (const [index, square] of squares.entries()) changes[start + index] = square / scale;
  }
  return changes;
}

/** For each group the mean over its samples, drawn group by group and swept sample by sample. */
async function squaredChanges(
  subject: Subject,
  groups: Groups,
  {
    baseline,
    samples,
    output,
    original,
    random,
  }: MonotonicityCorrelationOptions & { readonly original: number; readonly random: Random },
): Promise<Float64Array> {
  const levels = levelsOf(subject.image.data);
  const repeats = baseline === 'uniform' ? samples : 1; // other baselines give the same sample again
  const draws = groups.map(() => Float64Array.from({ length: repeats }, () => drawBaseline(baseline, levels, random)));
  const squares = new Float64Array(groups.length);
  const room = copies(subject.image, Math.min(subject.batchSize ?? defaultBatchSize, groups.length));
  for (let sample = 0; sample < repeats; sample++) {
    let group = 0;
    const replacement = replacing(subject.image, groups, () => draws[group++][sample]);
    const outputs = await sweepReplaced(subject, { ...replacement, room }, singleRanges(groups.length), output);
    for (const [index, changed] of outputs.entries()) squares[index] += (changed - original) ** 2;
  }
  return squares.map((sum) => sum / repeats);
}
