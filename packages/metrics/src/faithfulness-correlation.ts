import { type Baseline, drawBaseline, levelsOf, requireBaseline } from './baseline.ts';
import { pearson } from './correlation.ts';
import { defineMetric } from './define-metric.ts';
import { featureCount } from './feature-steps.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireWhole } from './options.ts';
import { imageCost, imageOutput, type Output, predictEach, requireOutput } from './outputs.ts';
import { groupSums, randomOf } from './replacement.ts';

/** Options of `faithfulnessCorrelation`. */
export interface FaithfulnessCorrelationOptions extends MapOptions {
  /** Random subsets to try, at least 2. */
  readonly runs: number;
  /** Features in a subset; a feature is one number of C×H×W. */
  readonly subsetSize: number;
  readonly baseline: Baseline;
  readonly output: Output;
}

/**
 * Whether random sets of features matter as much as their relevance says.
 *
 *     score = Pearson over runs (Σ_{i ∈ S} aᵢ, f(x) − f(x without S))    in [−1, 1]
 *
 * Each run draws a permutation of the features, of which the first `subsetSize` are taken, and then a baseline.
 *
 * @source Bhatt et al. 2020, arXiv 2005.00631; spec 2.6; defaults of Quantus
 */
export const faithfulnessCorrelation = defineMetric<FaithfulnessCorrelationOptions>({
  name: 'faithfulness-correlation',
  title: 'Faithfulness correlation',
  category: 'faithfulness',
  better: 'higher',
  source: 'Bhatt et al. 2020, arXiv 2005.00631',
  defaults: { ...mapDefaults, runs: 100, subsetSize: 224, baseline: 'black', output: 'logit' },
  needs: ['predict'],
  check(options, image) {
    checkMapOptions(this.name, options);
    requireWhole(this.name, 'runs', options.runs, 2);
    requireWhole(this.name, 'subsetSize', options.subsetSize, 1, featureCount(image));
    requireBaseline(this.name, options.baseline);
    requireOutput(this.name, options.output);
  },
  cost: ({ runs }) => ({ forwards: runs, explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const { data } = subject.image;
    const map = subjectMap(subject, options);
    const random = randomOf(subject);
    const levels = levelsOf(data);
    const original = await imageOutput(subject, options.output);
    const sums = new Float64Array(options.runs);
    const outputs = await predictEach(subject, options.runs, options.output, (run, pixels) => {
      const subset = random.permutation(data.length, options.subsetSize).subarray(0, options.subsetSize);
      const value = drawBaseline(options.baseline, levels, random);
      for (const feature of subset) pixels[feature] = value;
      [sums[run]] = groupSums(map, [subset]);
    });
    return {
      value: pearson(
        sums,
        outputs.map((output) => original - output),
      ),
    };
  },
});
