import { drawBaseline, levelsOf } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { checkFeatureSteps, type FeatureStepOptions, featureGroups, stepCount } from './feature-steps.ts';
import { mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireNumber, requireWhole } from './options.ts';
import { imageCost, imageOutput, sweepReplaced } from './outputs.ts';
import { type Groups, groupSums, randomOf, replacing, singleRanges } from './replacement.ts';
import { spearman } from './statistics/agreement.ts';
import type { Subject } from './types.ts';

/** Options of `monotonicityCorrelation`. */
export interface MonotonicityCorrelationOptions extends FeatureStepOptions {
  /** Replacements of each group. */
  readonly samples: number;
  /** `mean`: of all samples, the formula. `last-sample`: what Quantus's numbers are. */
  readonly variance: 'mean' | 'last-sample';
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
 * The numbers of Quantus come out when v_g is taken of the last sample alone, so that the others are drawn in vain;
 * `variance: 'last-sample'` gives them, the default is the formula.
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
    variance: 'mean',
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
    requireChoice(this.name, 'variance', options.variance, ['mean', 'last-sample']);
    requireNumber(this.name, 'epsilon', options.epsilon, 0);
  },
  cost: ({ featuresInStep, samples, baseline, variance }, image) => ({
    forwards: stepCount(featuresInStep, image) * (baseline === 'uniform' && variance === 'mean' ? samples : 1),
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
  { baseline, samples, variance, output, epsilon }: MonotonicityCorrelationOptions,
): Promise<Float64Array> {
  const original = await imageOutput(subject, output);
  const levels = levelsOf(subject.image.data);
  const random = randomOf(subject);
  const repeats = baseline === 'uniform' ? samples : 1; // other baselines give the same sample again
  const draws = groups.map(() => Array.from({ length: repeats }, () => drawBaseline(baseline, levels, random)));
  const squares = new Float64Array(groups.length);
  const first = variance === 'mean' ? 0 : repeats - 1;
  for (let sample = first; sample < repeats; sample++) {
    let group = 0;
    const replacement = replacing(subject.image, groups, () => draws[group++][sample]);
    const outputs = await sweepReplaced(subject, replacement, singleRanges(groups.length), output);
    for (const [index, changed] of outputs.entries()) squares[index] += (changed - original) ** 2;
  }
  const scale = original < epsilon ? 1 : original ** 2;
  return squares.map((sum) => sum / (repeats - first) / scale);
}
