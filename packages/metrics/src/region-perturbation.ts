import type { Random } from '@cambium/gpu-kernels';
import { drawPixels, requireBaseline, requireDraws, type Substitute } from './baseline.ts';
import { areaUnder, meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { freeRegions, mostFreeRegions } from './free-regions.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { type NamedOrder, type Order, orderBy, requireOrder } from './order.ts';
import { imageCost, imageOutput, type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { gridRegions, regionCount, regionSums, requirePatchSize } from './regions.ts';
import { type Groups, randomOf, regionGroups, replaceByImage, replaceInTurn, stepRanges } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `regionPerturbation`. */
export interface RegionPerturbationOptions extends MapOptions {
  /** Side of a region in pixels. */
  readonly patchSize: number;
  /** Whether regions lie on a grid, or anywhere without overlapping, as in the paper. */
  readonly placement: 'grid' | 'free';
  /** Which regions go first; or, on a grid, their indices, row-major. */
  readonly order: Order;
  /** Regions to replace at most. */
  readonly regions: number;
  readonly baseline: Substitute;
  /** How often the replacement is drawn; the curve is the mean. For baselines that are drawn. */
  readonly repeats: number;
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
 * order of the regions: their index on the grid, or row·W + column of a free one's first pixel. Ties keep row-major order.
 *
 * Quantus labels the score "lower"; with the most relevant regions first a larger drop is better (Samek et al.), and so
 * it is ranked here. The paper's form: `placement: 'free'`, `patchSize: 9`, `baseline: 'random-pixels'`, `repeats: 10`,
 * `average: 'samek'`, `output: 'logit'`; there, too, a free region overlaps none that went before.
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
    placement: 'grid',
    order: 'morf',
    regions: 100,
    baseline: 'black',
    repeats: 1,
    average: 'quantus',
    output: 'probability',
  },
  needs: ['predict'],
  check(options, image) {
    const { patchSize, placement, order, regions, baseline, repeats, average, output } = options;
    checkMapOptions(this.name, options);
    requirePatchSize(this.name, patchSize, image);
    requireChoice(this.name, 'placement', placement, ['grid', 'free']);
    if (placement === 'grid') requireOrder(this.name, order, regionCount(image, patchSize));
    else requireChoice(this.name, 'order', order, ['morf', 'lerf', 'random']);
    requireWhole(this.name, 'regions', regions, 1);
    requireBaseline(this.name, baseline, ['random-pixels']);
    requireDraws(this.name, 'repeats', repeats, baseline);
    requireChoice(this.name, 'average', average, ['quantus', 'samek']);
    requireOutput(this.name, output);
  },
  cost({ patchSize, placement, regions, order, repeats }, image) {
    const onGrid = Array.isArray(order) ? order.length : regionCount(image, patchSize);
    const most = placement === 'free' ? mostFreeRegions(image, patchSize) : onGrid;
    return { forwards: repeats * Math.min(regions, most), explanations: 0, shared: imageCost };
  },
  async measure(subject, options) {
    const random = randomOf(subject);
    const chosen = { ...chooseRegions(subject, options, random), random };
    const original = await imageOutput(subject, options.output);
    const curve: number[] = Array.from(chosen.order, () => 0);
    for (let repeat = 0; repeat < options.repeats; repeat++) {
      const outputs = await outputsWithout(subject, chosen, options);
      for (const [step, output] of outputs.entries()) curve[step] += (original - output) / options.repeats;
    }
    const mean = meanOf(curve);
    const value = options.average === 'samek' ? (mean * curve.length) / (curve.length + 1) : mean;
    return { value, detail: { curve, area: areaUnder(curve), order: Array.from(chosen.order), original } };
  },
});

/** Regions in the order in which they go. */
interface Chosen {
  readonly order: ArrayLike<number> & Iterable<number>;
  readonly groups: Groups;
  /** How often each pixel counts in a mean; once unless given. */
  readonly weights?: Uint32Array;
}

function chooseRegions(subject: Subject, options: RegionPerturbationOptions, random: Random): Chosen {
  const [channels, height, width] = subject.image.shape;
  const map = subjectMap(subject, options);
  const { patchSize: size, order, regions: limit } = options;
  if (options.placement === 'free' && !Array.isArray(order)) {
    const free = freeRegions(map, channels, { size, limit, order: order as NamedOrder, random }); // checked
    return { order: free.map(({ corner }) => corner), groups: free.map(({ features }) => features) };
  }
  const regions = gridRegions(height, width, size);
  const inOrder = orderBy(order, regionSums(map, regions), random).subarray(0, limit);
  return { order: inOrder, groups: regionGroups(regions, inOrder, channels), weights: regions.weights };
}

function outputsWithout(
  subject: Subject,
  { groups, weights, random }: Chosen & { readonly random: Random },
  { baseline, output }: RegionPerturbationOptions,
): Promise<Float64Array<ArrayBuffer>> {
  const replacement =
    baseline === 'random-pixels'
      ? replaceByImage(subject.image, groups, drawPixels(subject.image, random))
      : replaceInTurn(subject, groups, { baseline, random, weights });
  return sweepReplaced(subject, replacement, stepRanges(groups.length), output);
}
