import { areaUnder, meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkFeatureSteps, type FeatureStepOptions, featureGroups, stepCount } from './feature-steps.ts';
import { mapDefaults, subjectMap } from './normalise.ts';
import { sweepReplaced } from './outputs.ts';
import { randomOf, replaceInTurn, stepRanges } from './replacement.ts';

/**
 * How fast the class is lost as features are replaced in descending order of relevance.
 *
 *     curve_k = f(image without its first k groups), k = 1 … ⌈C·H·W / featuresInStep⌉
 *     score = trapezoid area under the curve, steps one apart
 *
 * The area grows with the number of steps: compare scores of equal steps. Detail: the curve and its mean. The channels
 * of a pixel are separate features of equal relevance, taken channel by channel. The paper flips whole pixels: where no two
 * pixels are equally relevant, a `featuresInStep` of C does.
 *
 * @source Bach et al. 2015, doi 10.1371/journal.pone.0130140; spec 2.6; defaults of Quantus
 */
export const pixelFlipping = defineMetric<FeatureStepOptions>({
  name: 'pixel-flipping',
  title: 'Pixel flipping',
  category: 'faithfulness',
  better: 'lower',
  source: 'Bach et al. 2015, doi 10.1371/journal.pone.0130140',
  defaults: { ...mapDefaults, featuresInStep: 1, order: 'relevance', baseline: 'black', output: 'probability' },
  needs: ['predict'],
  check(options, image) {
    checkFeatureSteps(this.name, options, image);
  },
  cost: ({ featuresInStep }, image) => ({ forwards: stepCount(featuresInStep, image), explanations: 0, shared: {} }),
  async measure(subject, options) {
    const groups = featureGroups(subjectMap(subject, options), subject.image.shape[0], options);
    if (groups.length < 2)
      return { value: null, reason: 'pixel-flipping needs two steps for an area; lower featuresInStep.' };
    const replacement = replaceInTurn(subject, groups, { ...options, random: randomOf(subject) });
    const outputs = await sweepReplaced(subject, replacement, stepRanges(groups.length), options.output);
    return { value: areaUnder(outputs), detail: { curve: Array.from(outputs), mean: meanOf(outputs) } };
  },
});
