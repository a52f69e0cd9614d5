import { type Baseline, requireBaseline } from './baseline.ts';
import { areaUnder, meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { type Order, orderBy, requireOrder } from './order.ts';
import { imageCost, imageOutput, type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { gridRegions, regionCount, regionSums, requirePatchSize } from './regions.ts';
import { randomOf, regionGroups, replaceInTurn, stepRanges } from './replacement.ts';

/** Options of `regionPerturbation`. */
export interface RegionPerturbationOptions extends MapOptions {
  /** Side of a region in pixels. */
  readonly patchSize: number;
  /** Which regions go first; or their indices, row-major. */
  readonly order: Order;
  /** Regions to replace at most. */
  readonly regions: number;
  readonly baseline: Baseline;
  /** `quantus`: the mean over the steps. `samek`: step 0 counts too, as in the paper. */
  readonly average: 'quantus' | 'samek';
  readonly output: Output;
}

/**
 * How much of the class the model loses as regions are blotted out in the order of their relevance.
 *
 *     curve_k = f(image) − f(image without the first k regions), k = 1 … L    score = mean of the curve (AOPC)
 *
 * In [−1, 1] for probabilities. Detail: the curve, its trapezoid area with steps one apart (Quantus's AUC) and the
 * order of the regions. Ties keep row-major order.
 *
 * Quantus labels the score "lower"; with the most relevant regions first a larger drop is better (Samek et al.), and so
 * it is ranked here. The paper averages over step 0 too (`average: 'samek'`) and replaces 9×9 regions at free positions
 * by random pixels; here, as in Quantus, regions lie on a grid and get one value.
 *
 * @source Samek et al. 2017, arXiv 1509.06321; spec 2.1; defaults of Quantus
 */
export const regionPerturbation = defineMetric<RegionPerturbationOptions>({
  name: 'region-perturbation',
  title: 'Region perturbation',
  category: 'faithfulness',
  better: 'higher',
  source: 'Samek et al. 2017, arXiv 1509.06321',
  defaults: {
    ...mapDefaults,
    patchSize: 8,
    order: 'morf',
    regions: 100,
    baseline: 'black',
    average: 'quantus',
    output: 'probability',
  },
  needs: ['predict'],
  check(options, image) {
    checkMapOptions(this.name, options);
    requirePatchSize(this.name, options.patchSize, image);
    requireOrder(this.name, options.order, regionCount(image, options.patchSize));
    requireWhole(this.name, 'regions', options.regions, 1);
    requireBaseline(this.name, options.baseline);
    requireChoice(this.name, 'average', options.average, ['quantus', 'samek']);
    requireOutput(this.name, options.output);
  },
  cost: ({ patchSize, regions, order }, image) => ({
    forwards: Math.min(regions, Array.isArray(order) ? order.length : regionCount(image, patchSize)),
    explanations: 0,
    shared: imageCost,
  }),
  async measure(subject, options) {
    const { image } = subject;
    const regions = gridRegions(image.shape[1], image.shape[2], options.patchSize);
    const random = randomOf(subject);
    const sums = regionSums(subjectMap(subject, options), regions);
    const order = orderBy(options.order, sums, random).subarray(0, options.regions);
    const groups = regionGroups(regions, order, image.shape[0]);
    const original = await imageOutput(subject, options.output);
    const replacement = replaceInTurn(subject, groups, { ...options, random, weights: regions.weights });
    const outputs = await sweepReplaced(subject, replacement, stepRanges(order.length), options.output);
    const curve = Array.from(outputs, (output) => original - output);
    const mean = meanOf(curve);
    const value = options.average === 'samek' ? (mean * curve.length) / (curve.length + 1) : mean;
    return { value, detail: { curve, area: areaUnder(curve), order: Array.from(order), original } };
  },
});
