import { pearson } from './correlation.ts';
import { defineMetric } from './define-metric.ts';
import { checkFeatureSteps, type FeatureStepOptions, featureGroups, stepCount } from './feature-steps.ts';
import { mapDefaults, subjectMap } from './normalise.ts';
import { imageCost, imageOutput, sweepReplaced } from './outputs.ts';
import { groupSums, randomOf, replaceInOriginal, singleRanges } from './replacement.ts';

/**
 * Whether groups of features matter as much as their relevance says: the correlation between what a group holds and what
 * the output loses without it.
 *
 *     score = Pearson(Σ_{i ∈ group} aᵢ, f(x) − f(x without the group))    in [−1, 1]
 *
 * Groups are cut from the features in descending order of relevance, each replaced in the original image. Where all
 * groups hold or lose alike there is no correlation, and no score.
 *
 * @source Alvarez-Melis & Jaakkola 2018, arXiv 1806.07538; spec 2.6; defaults of Quantus
 */
export const faithfulnessEstimate = defineMetric<FeatureStepOptions>({
  name: 'faithfulness-estimate',
  title: 'Faithfulness estimate',
  category: 'faithfulness',
  better: 'higher',
  source: 'Alvarez-Melis & Jaakkola 2018, arXiv 1806.07538',
  defaults: { ...mapDefaults, featuresInStep: 1, order: 'relevance', baseline: 'black', output: 'logit' },
  needs: ['predict'],
  check(options, image) {
    checkFeatureSteps(this.name, options, image);
  },
  cost: ({ featuresInStep }, image) => ({
    forwards: stepCount(featuresInStep, image),
    explanations: 0,
    shared: imageCost,
  }),
  async measure(subject, options) {
    const map = subjectMap(subject, options);
    const groups = featureGroups(map, subject.image.shape[0], options);
    const original = await imageOutput(subject, options.output);
    const replacement = replaceInOriginal(subject, groups, options.baseline, randomOf(subject));
    const outputs = await sweepReplaced(subject, replacement, singleRanges(groups.length), options.output);
    return {
      value: pearson(
        groupSums(map, groups),
        outputs.map((output) => original - output),
      ),
    };
  },
});
