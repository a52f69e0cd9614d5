import { type Baseline, requireBaseline } from './baseline.ts';
import { areaUnder } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { ordered } from './order.ts';
import { imageCost, imageOutput, type Output, requireOutput, sweepReplaced } from './outputs.ts';
import { gridRegions, regionCount, regionSums, requirePatchSize } from './regions.ts';
import { randomOf, regionGroups, replaceInOriginal, stepRanges } from './replacement.ts';

/** Options of `irof`. */
export interface IrofOptions extends MapOptions {
  /** Side of a segment in pixels. */
  readonly patchSize: number;
  readonly baseline: Baseline;
  readonly output: Output;
}

/**
 * Iterative removal of features: the area over the curve of what is left of the class as segments are replaced, the most
 * relevant on average first.
 *
 *     score = S − trapezoid area under f(image without its first k segments) / f(image), k = 1 … S
 *
 * Segments are squares of a grid instead of superpixels (SLIC), so no segmentation decides the score; edge segments may
 * be smaller. Detail: the curve, and the score over S. Quantus's form fails for images of three channels, so its numbers
 * cannot be compared.
 *
 * @source Rieger & Hansen 2020, arXiv 2003.08747; spec 2.6 and 2.7; baseline of Quantus, side of a segment ours
 */
export const irof = defineMetric<IrofOptions>({
  name: 'irof',
  title: 'IROF',
  category: 'faithfulness',
  better: 'higher',
  source: 'Rieger & Hansen 2020, arXiv 2003.08747',
  defaults: { ...mapDefaults, patchSize: 16, baseline: 'mean', output: 'probability' },
  needs: ['predict'],
  check(options, image) {
    checkMapOptions(this.name, options);
    requirePatchSize(this.name, options.patchSize, image);
    requireBaseline(this.name, options.baseline);
    requireOutput(this.name, options.output);
  },
  cost: ({ patchSize }, image) => ({ forwards: regionCount(image, patchSize), explanations: 0, shared: imageCost }),
  async measure(subject, options) {
    const { image } = subject;
    const segments = gridRegions(image.shape[1], image.shape[2], options.patchSize);
    const sizes = new Float64Array(segments.count);
    for (const segment of segments.of) sizes[segment]++;
    const means = regionSums(subjectMap(subject, options), segments).map((sum, segment) => sum / sizes[segment]);
    const groups = regionGroups(segments, ordered(means, 'descending'), image.shape[0]);
    const original = await imageOutput(subject, options.output);
    if (original === 0) return { value: null, reason: 'irof divides by the output of the image, which is 0.' };
    const replacement = replaceInOriginal(subject, groups, options.baseline, randomOf(subject));
    const outputs = await sweepReplaced(subject, replacement, stepRanges(groups.length), options.output);
    const curve = Array.from(outputs, (output) => output / original);
    const value = curve.length - areaUnder(curve);
    return { value, detail: { curve, share: value / curve.length } };
  },
});
