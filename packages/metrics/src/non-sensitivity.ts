import { type Baseline, requireBaseline, requireDraws } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireNumber, requireWhole } from './options.ts';
import { cut } from './order.ts';
import { imageCost, imageOutput, type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { type Groups, randomOf, replaceInOriginal, singleRanges } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `nonSensitivity`. */
export interface NonSensitivityOptions extends MapOptions {
  /** Below it an attribution is none, and a change of the output is none; at 0, as in the paper, those that are 0. */
  readonly epsilon: number;
  /** Features that are replaced together. */
  readonly featuresInStep: number;
  readonly baseline: Baseline;
  /** Draws of the baseline over which the change of the output is averaged, for one that is drawn. */
  readonly samples: number;
  readonly output: Output;
}

/**
 * How many features have relevance but no effect, or an effect but no relevance.
 *
 *     score = #{i : (aᵢ < ε) xor (mean |f(x) − f(x without i)| < ε)}    a whole number in [0, C·H·W]
 *
 * A feature is one number of C×H×W; its relevance is that of its pixel. Features below ε and the others are cut, in
 * ascending order, into groups that are replaced together and share the group's effect. With one feature in a step
 * the sweep does not depend on the map: maps of one image and target share it through the subject's cache.
 *
 * Detail: the score over C·H·W, how many features are below ε, insensitive, both, and within a tenth of ε (those may
 * flip with rounding). Quantus demands that the step divide H·W; here it need not. The paper takes an expectation over
 * a distribution of replacements and compares with zero: `baseline: 'uniform'`, `samples: 100`, `epsilon: 0`.
 *
 * @source Nguyen & Martínez 2020, arXiv 2007.07584; spec 2.4; defaults of Quantus
 */
export const nonSensitivity = defineMetric<NonSensitivityOptions>({
  name: 'non-sensitivity',
  title: 'Non-sensitivity',
  category: 'axiomatic',
  better: 'lower',
  source: 'Nguyen & Martínez 2020, arXiv 2007.07584',
  defaults: {
    ...mapDefaults,
    absolute: true,
    epsilon: 1e-5,
    featuresInStep: 1,
    baseline: 'black',
    samples: 1,
    output: 'probability',
  },
  needs: ['predict'],
  check(options, [channels, height, width]) {
    checkMapOptions(this.name, options);
    requireNumber(this.name, 'epsilon', options.epsilon, 0);
    requireWhole(this.name, 'featuresInStep', options.featuresInStep, 1, channels * height * width);
    requireBaseline(this.name, options.baseline);
    requireDraws(this.name, 'samples', options.samples, options.baseline);
    requireOutput(this.name, options.output);
  },
  cost(options, [channels, height, width]) {
    const { featuresInStep, baseline } = options;
    const features = channels * height * width;
    const sharing = featuresInStep === 1 && baseline !== 'uniform';
    if (sharing)
      return { forwards: 0, explanations: 0, shared: { ...imageCost, [sweepKey(options, 'target')]: features } };
    const groups = featuresInStep === 1 ? features : Math.ceil(features / featuresInStep) + 1; // two last groups may be short
    return { forwards: options.samples * Math.min(groups, features), explanations: 0, shared: imageCost };
  },
  async measure(subject, options) {
    const { data } = subjectMap(subject, options);
    const original = await imageOutput(subject, options.output);
    const { epsilon, samples } = options;
    const changes = new Float64Array(subject.image.data.length);
    const drawing = { ...subject, random: randomOf(subject) }; // one stream for all samples
    for (let sample = 0; sample < samples; sample++) {
      const outputs = await outputsByFeature(drawing, data, options);
      for (const [feature, output] of outputs.entries()) changes[feature] += Math.abs(original - output) / samples;
    }
    const counts = { belowEpsilon: 0, insensitive: 0, both: 0, nearEpsilon: 0 };
    for (let feature = 0; feature < changes.length; feature++) {
      const change = changes[feature];
      const small = isNone(data[feature % data.length], epsilon);
      const insensitive = isNone(change, epsilon);
      counts.belowEpsilon += Number(small);
      counts.insensitive += Number(insensitive);
      counts.both += Number(small && insensitive);
      counts.nearEpsilon += Number(Math.abs(change - epsilon) <= 0.1 * epsilon);
    }
    const value = counts.belowEpsilon + counts.insensitive - 2 * counts.both; // exclusive or
    return { value, detail: { ...counts, fraction: value / changes.length } };
  },
});

function isNone(value: number, epsilon: number): boolean {
  return epsilon === 0 ? value === 0 : value < epsilon;
}

/** The output of the variant that each feature belongs to, C·H·W. */
async function outputsByFeature(
  subject: Subject,
  map: Float32Array,
  options: NonSensitivityOptions,
): Promise<Float64Array<ArrayBuffer>> {
  const features = new Uint32Array(subject.image.data.length);
  for (let feature = 0; feature < features.length; feature++) features[feature] = feature;
  const { baseline, featuresInStep, epsilon } = options;
  if (featuresInStep === 1 && baseline !== 'uniform') {
    const work = () => spread(subject, cut(features, 1), options);
    return subject.sweeps ? subject.sweeps.once(sweepKey(options, subject.target), work) : work();
  }
  const [small, others] = divided(features, (feature) => isNone(map[feature % map.length], epsilon));
  return spread(subject, [...cut(small, featuresInStep), ...cut(others, featuresInStep)], options);
}

/** Those that are and those that are not, each in their order. */
function divided(features: Uint32Array<ArrayBuffer>, isFirst: (feature: number) => boolean) {
  const sorted = new Uint32Array(features.length);
  let front = 0;
  let back = features.length;
  for (let index = 0; index < features.length; index++) {
    if (isFirst(features[index])) sorted[front++] = features[index];
    else sorted[--back] = features[index];
  }
  return [sorted.subarray(0, front), sorted.subarray(back).reverse()] as const;
}

/** Sweeps the groups and gives every feature its group's output. */
async function spread(
  subject: Subject,
  groups: Groups,
  { baseline, output }: NonSensitivityOptions,
): Promise<Float64Array<ArrayBuffer>> {
  const replacement = replaceInOriginal(subject, groups, baseline, randomOf(subject));
  const outputs = await sweepReplaced(subject, replacement, singleRanges(groups.length), output);
  const ranks = replacement.ranks.data;
  const spreadOut = new Float64Array(ranks.length);
  for (let feature = 0; feature < ranks.length; feature++) spreadOut[feature] = outputs[ranks[feature] - 1];
  return spreadOut;
}

/** @param target a class, or the word for any */
function sweepKey({ baseline, output }: NonSensitivityOptions, target: number | 'target'): string {
  return `non-sensitivity/${baseline}/${output}/${target}`;
}
