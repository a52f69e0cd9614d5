import { type Baseline, requireBaseline } from './baseline.ts';
import { areaUnder, meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { ordered } from './order.ts';
import { type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { gridRegions, regionCount, regionSums, requirePatchSize } from './regions.ts';
import { randomOf, regionGroups, replaceInTurn, stepRanges } from './replacement.ts';

/** Options of `selectivity`. */
export interface SelectivityOptions extends MapOptions {
  /** Side of a region in pixels. */
  readonly patchSize: number;
  readonly baseline: Baseline;
  readonly output: Output;
}

/**
 * How fast the class is lost as all regions are replaced, the most relevant first: region perturbation over every
 * region, read as outputs instead of differences.
 *
 *     curve_k = f(image without its first k regions)    score = trapezoid area under the curve, steps one apart
 *
 * Detail: the curve, its mean and the order of the regions.
 *
 * @source Montavon et al. 2018, arXiv 1706.07979; spec 2.6; defaults of Quantus
 */
export const selectivity = defineMetric<SelectivityOptions>({
  name: 'selectivity',
  title: 'Selectivity',
  category: 'faithfulness',
  better: 'lower',
  source: 'Montavon et al. 2018, arXiv 1706.07979',
  defaults: { ...mapDefaults, patchSize: 8, baseline: 'black', output: 'probability' },
  needs: ['predict'],
  check(options, image) {
    checkMapOptions(this.name, options);
    requirePatchSize(this.name, options.patchSize, image);
    requireBaseline(this.name, options.baseline);
    requireOutput(this.name, options.output);
  },
  cost: ({ patchSize }, image) => ({ forwards: regionCount(image, patchSize), explanations: 0, shared: {} }),
  async measure(subject, options) {
    const { image } = subject;
    const regions = gridRegions(image.shape[1], image.shape[2], options.patchSize);
    if (regions.count < 2)
      return { value: null, reason: 'selectivity needs two regions for an area; lower patchSize.' };
    const order = ordered(regionSums(subjectMap(subject, options), regions), 'descending');
    const groups = regionGroups(regions, order, image.shape[0]);
    const turn = { ...options, random: randomOf(subject), weights: regions.weights };
    const replacement = replaceInTurn(subject, groups, turn);
    const outputs = await sweepReplaced(subject, replacement, stepRanges(groups.length), options.output);
    const detail = { curve: Array.from(outputs), mean: meanOf(outputs), order: Array.from(order) };
    return { value: areaUnder(outputs), detail };
  },
});
