import { type Baseline, requireBaseline } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireChoice, requireNumber, requireWhole } from './options.ts';
import { imageCost, imageOutput, type Output, predictEach, requireOutput, sweepReplaced } from './outputs.ts';
import { gridRegions, regionCount, requirePatchSize } from './regions.ts';
import { randomOf, regionGroups, replaceInTurn, stepRanges } from './replacement.ts';
import type { Subject } from './types.ts';

/** Options of `infidelity`. */
export interface InfidelityOptions extends MapOptions {
  /** `blocks`: regions are replaced in turn, as Quantus does. `noise`: normal noise is taken away, as in the paper. */
  readonly perturbation: 'blocks' | 'noise';
  /** Side of a block in pixels; for `blocks`. */
  readonly patchSize: number;
  readonly baseline: Baseline;
  /** Standard deviation in the units of the network's input; for `noise`. */
  readonly deviation: number;
  /** Perturbations of the whole image; those that draw nothing are not repeated. */
  readonly samples: number;
  readonly output: Output;
}

/**
 * How far the map, read as a linear model of the output, is from what perturbations do.
 *
 *     score = mean of (f(x) − f(x′) − Σ aᵢ (xᵢ − x′ᵢ))²
 *
 * `blocks`: x′ runs through the images in which the blocks of a grid, row by row, have been replaced so far. `noise`:
 * x′ = x − I with normal I. The score depends on the map's scale, so the map is not normalised. Blocks need not divide the
 * image, as Quantus's must.
 *
 * @source Yeh et al. 2019, arXiv 1901.09392, definition 2.1; spec 2.6; defaults of Quantus, deviation of the paper
 */
export const infidelity = defineMetric<InfidelityOptions>({
  name: 'infidelity',
  title: 'Infidelity',
  category: 'faithfulness',
  better: 'lower',
  source: 'Yeh et al. 2019, arXiv 1901.09392',
  defaults: {
    ...mapDefaults,
    normalise: 'none',
    perturbation: 'blocks',
    patchSize: 4,
    baseline: 'black',
    deviation: 0.2,
    samples: 10,
    output: 'logit',
  },
  needs: ['predict'],
  check(options, image) {
    checkMapOptions(this.name, options);
    requireChoice(this.name, 'perturbation', options.perturbation, ['blocks', 'noise']);
    requirePatchSize(this.name, options.patchSize, image);
    requireBaseline(this.name, options.baseline);
    requireNumber(this.name, 'deviation', options.deviation, 0);
    requireWhole(this.name, 'samples', options.samples, 1);
    requireOutput(this.name, options.output);
  },
  cost(options, image) {
    const each = options.perturbation === 'noise' ? 1 : regionCount(image, options.patchSize);
    return { forwards: each * repeatsOf(options), explanations: 0, shared: imageCost };
  },
  async measure(subject, options) {
    const errors = options.perturbation === 'noise' ? noiseErrors(subject, options) : blockErrors(subject, options);
    const squares = (await errors).map((error) => error ** 2);
    return { value: squares.reduce((sum, square) => sum + square, 0) / squares.length };
  },
});

function repeatsOf({ perturbation, baseline, samples }: InfidelityOptions): number {
  return perturbation === 'noise' || baseline === 'uniform' ? samples : 1;
}

async function blockErrors(subject: Subject, options: InfidelityOptions): Promise<number[]> {
  const { image } = subject;
  const { data } = subjectMap(subject, options);
  const regions = gridRegions(image.shape[1], image.shape[2], options.patchSize);
  const groups = regionGroups(
    regions,
    Uint32Array.from({ length: regions.count }, (_, region) => region),
    image.shape[0],
  );
  const original = await imageOutput(subject, options.output);
  const random = randomOf(subject);
  const errors: number[] = [];
  for (let repeat = 0; repeat < repeatsOf(options); repeat++) {
    const turn = { baseline: options.baseline, random, weights: regions.weights };
    const replacement = replaceInTurn(subject, groups, turn);
    const outputs = await sweepReplaced(subject, replacement, stepRanges(groups.length), options.output);
    let explained = 0;
    for (const [step, group] of groups.entries()) {
      for (const feature of group) {
        explained += data[feature % data.length] * (image.data[feature] - replacement.fill.data[feature]);
      }
      errors.push(original - outputs[step] - explained);
    }
  }
  return errors;
}

async function noiseErrors(subject: Subject, options: InfidelityOptions): Promise<number[]> {
  const { data } = subjectMap(subject, options);
  const random = randomOf(subject);
  const original = await imageOutput(subject, options.output);
  const explained = new Float64Array(options.samples);
  const outputs = await predictEach(subject, options.samples, options.output, (sample, pixels) => {
    for (let feature = 0; feature < pixels.length; feature++) {
      const noise = options.deviation * random.normal();
      explained[sample] += data[feature % data.length] * noise;
      pixels[feature] -= noise;
    }
  });
  return Array.from(outputs, (output, sample) => original - output - explained[sample]);
}
