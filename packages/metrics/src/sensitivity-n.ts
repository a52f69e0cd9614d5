import type { Shape } from '@cambium/gpu-kernels';
import { drawBaseline, levelsOf } from './baseline.ts';
import { pearson } from './correlation.ts';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkFeatureSteps, type FeatureStepOptions, featureGroups } from './feature-steps.ts';
import { companionsOf, mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireNumber, requireWhole } from './options.ts';
import { imageCost, imageOutput, predictEach, sweepReplaced } from './outputs.ts';
import { groupSums, randomOf, replaceInTurn, stepRanges } from './replacement.ts';
import { keyOfMap } from './sweep-cache.ts';
import type { Score, Subject } from './types.ts';

/** Options of `sensitivityN`. */
export interface SensitivityNOptions extends FeatureStepOptions {
  /** `most-relevant`: correlates across companions, as Quantus does. `random`: across random sets, as in the paper. */
  readonly subsets: 'most-relevant' | 'random';
  /** Largest number of features that is replaced, in (0, 1], and at least one step: over H·W for `most-relevant`, over C·H·W for `random`. */
  readonly largestShare: number;
  /** Random sets of each size; for `random`. */
  readonly samples: number;
}

/**
 * Whether what a set of n features holds tells what the output loses without them, for growing n.
 *
 *     score = mean over n of Pearson(Σ_{i ∈ S} aᵢ, f(x) − f(x without S)),  |S| = n = featuresInStep, 2·featuresInStep, …
 *
 * `most-relevant` takes for S each companion's n most relevant features and correlates across the companions: one score
 * for all, which says little for few images and needs at least three. `random` takes random sets of one image and
 * correlates across these. Detail: the curve over n, without the n at which nothing varies.
 *
 * Quantus counts its share in pixels while it replaces features one by one, so that for three channels n stays below a
 * third of them.
 *
 * @source Ancona et al. 2018, arXiv 1711.06104; spec 2.6; defaults of Quantus, samples of the paper
 */
export const sensitivityN = defineMetric<SensitivityNOptions>({
  name: 'sensitivity-n',
  title: 'Sensitivity-n',
  category: 'faithfulness',
  better: 'higher',
  source: 'Ancona et al. 2018, arXiv 1711.06104',
  defaults: {
    ...mapDefaults,
    featuresInStep: 1,
    order: 'relevance',
    baseline: 'black',
    output: 'probability',
    subsets: 'most-relevant',
    largestShare: 0.8,
    samples: 100,
  },
  needs: ['predict'],
  check(options, image) {
    checkFeatureSteps(this.name, options, image);
    requireChoice(this.name, 'subsets', options.subsets, ['most-relevant', 'random']);
    requireNumber(this.name, 'largestShare', options.largestShare, Number.MIN_VALUE, 1);
    requireWhole(this.name, 'samples', options.samples, 2);
  },
  cost: (options, image) => ({
    forwards: stepsOf(options, image) * (options.subsets === 'random' ? options.samples : 1),
    explanations: 0,
    shared: imageCost,
  }),
  async measure(subject, options) {
    return options.subsets === 'random' ? acrossSets(subject, options) : acrossCompanions(subject, options);
  },
});

function stepsOf(options: SensitivityNOptions, image: Shape): number {
  return Math.max(1, Math.floor((options.largestShare * wholeOf(options, image)) / options.featuresInStep));
}

/** What the largest share is a share of. */
function wholeOf({ subsets }: SensitivityNOptions, [channels, height, width]: Shape): number {
  return subsets === 'random' ? channels * height * width : height * width;
}

async function acrossCompanions(subject: Subject, options: SensitivityNOptions): Promise<Score> {
  const companions = companionsOf(subject);
  if (companions.length < 3) {
    return {
      value: null,
      reason: `sensitivity-n correlates across at least three companions, got ${companions.length}.`,
    };
  }
  const shape = subject.image.shape.join();
  if (companions.some(({ image }) => image.shape.join() !== shape)) {
    return { value: null, reason: 'sensitivity-n correlates across companions of one image shape; these differ.' };
  }
  const curves: Curves[] = [];
  for (const companion of companions) curves.push(await sharedCurves(companion, options));
  return scoreOf(
    Array.from({ length: stepsOf(options, subject.image.shape) }, (_, step) =>
      pearson(
        curves.map(({ sums }) => sums[step]),
        curves.map(({ losses }) => losses[step]),
      ),
    ),
  );
}

interface Curves {
  /** Relevance of what was replaced by each step. */
  readonly sums: number[];
  readonly losses: number[];
}

/** A companion's curves, computed once for all that correlate with it. */
function sharedCurves(companion: Subject, options: SensitivityNOptions): Promise<Curves> {
  const map = subjectMap(companion, options);
  const key = `sensitivity-n/${companion.target}/${keyOfMap(map)}/${JSON.stringify(options)}`;
  const work = () => removalCurves(companion, options);
  return companion.sweeps ? companion.sweeps.once(key, work) : work();
}

async function removalCurves(companion: Subject, options: SensitivityNOptions): Promise<Curves> {
  const map = subjectMap(companion, options);
  const groups = featureGroups(map, companion.image.shape[0], options).slice(
    0,
    stepsOf(options, companion.image.shape),
  );
  const original = await imageOutput(companion, options.output);
  const replacement = replaceInTurn(companion, groups, { ...options, random: randomOf(companion) });
  const outputs = await sweepReplaced(companion, replacement, stepRanges(groups.length), options.output);
  let held = 0;
  const sums = Array.from(groupSums(map, groups), (sum) => {
    held += sum;
    return held;
  });
  return { sums, losses: Array.from(outputs, (output) => original - output) };
}

async function acrossSets(subject: Subject, options: SensitivityNOptions): Promise<Score> {
  const { data, shape } = subject.image;
  const map = subjectMap(subject, options);
  const random = randomOf(subject);
  const levels = levelsOf(data);
  const original = await imageOutput(subject, options.output);
  const curve: number[] = [];
  for (let step = 1; step <= stepsOf(options, shape); step++) {
    const sums = new Float64Array(options.samples);
    const outputs = await predictEach(subject, options.samples, options.output, (sample, pixels) => {
      const set = random.permutation(data.length).subarray(0, step * options.featuresInStep);
      const value = drawBaseline(options.baseline, levels, random);
      for (const feature of set) pixels[feature] = value;
      [sums[sample]] = groupSums(map, [set]);
    });
    curve.push(
      pearson(
        sums,
        outputs.map((output) => original - output),
      ),
    );
  }
  return scoreOf(curve);
}

function scoreOf(curve: readonly number[]): Score {
  const defined = curve.filter((correlation) => !Number.isNaN(correlation));
  if (defined.length > 0) return { value: meanOf(defined), detail: { curve: defined } };
  return { value: null, reason: 'sensitivity-n: at no step do both the relevance and the loss vary.' };
}
