import {
  filled,
  referenceEngine,
  rows,
  sweep,
  type Tensor,
  tensor,
  translate,
  variantPredictor,
} from '@cambium/gpu-kernels';
import { levelsOf } from './baseline.ts';
import { defineMetric } from './define-metric.ts';
import { explainEach } from './explanations.ts';
import {
  checkMapOptions,
  companionsOf,
  type Extent,
  extentOf,
  joinExtents,
  type MapOptions,
  mapDefaults,
  type Normalise,
  placeOf,
  scaleMap,
  subjectMap,
} from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { defaultBatchSize } from './outputs.ts';
import { predictedClass } from './softmax.ts';
import { keyOfMap } from './sweep-cache.ts';
import type { Score, Subject } from './types.ts';

/** Options of `continuity`. */
export interface ContinuityOptions extends MapOptions {
  /** Shifts to try, of ⌊(2W + 1) / steps⌋ columns from one to the next. */
  readonly steps: number;
  /** `original`: each shifted image with the image, as in Quantus. `neighbours`: with the next shift, as in the paper. */
  readonly compare: 'original' | 'neighbours';
  /** Whether a shift that makes the model predict another class than the target takes the score away. */
  readonly whenPredictionChanges: 'score' | 'refuse';
}

/**
 * How fast the map changes as the image slides sideways.
 *
 *     dₖ = Σ |R − Rₖ| / (‖x − xₖ‖₂ + 10⁻⁹),  xₖ = x shifted by −W + k·⌊(2W + 1)/steps⌋ columns    score = max dₖ
 *
 * R is the map of the image, Rₖ that of the shifted image, each normalised by itself. Columns that are uncovered get the
 * image's minimum; a shift of W or more leaves an image of one colour. Detail: the shifts and their ratios.
 *
 * Two departures from Quantus: images that do not differ, such as the one that is shifted by 0, count as 0 (there the ratio is
 * the explainer's noise over 10⁻⁹), and an image without any relevance has the map of zeros (there the metric fails). An image
 * that no shift changes has no score. With more than 2W + 1 steps every shift is −W. In the scope of the batch the scale of each
 * companion's shifted maps is found once for all, through their caches.
 *
 * The paper (max ‖R(x) − R(x′)‖₁ / ‖x − x′‖₂ for x′ near x) moves an image by small steps and compares neighbours:
 * `compare: 'neighbours'`, `steps: 2W + 1` for steps of one column, `normalise: 'none'` and `absolute: false` for R as it is.
 * The ratio of a shift is then that to the shift before it.
 *
 * @source Montavon et al. 2018, arXiv 1706.07979; spec 2.2; defaults of Quantus
 */
export const continuity = defineMetric<ContinuityOptions>({
  name: 'continuity',
  title: 'Continuity',
  category: 'robustness',
  better: 'lower',
  source: 'Montavon et al. 2018, arXiv 1706.07979',
  defaults: { ...mapDefaults, absolute: true, steps: 28, compare: 'original', whenPredictionChanges: 'score' },
  needs: ['explain'],
  check(options) {
    checkMapOptions(this.name, options);
    requireWhole(this.name, 'steps', options.steps, 1);
    requireChoice(this.name, 'compare', options.compare, ['original', 'neighbours']);
    requireChoice(this.name, 'whenPredictionChanges', options.whenPredictionChanges, ['score', 'refuse']);
  },
  cost({ steps, whenPredictionChanges, normaliseScope }, [, , width]) {
    const count = shiftsOf(width, steps).filter((shift) => shift !== 0).length;
    const shared = whenPredictionChanges === 'refuse' ? { [predictionsKey(steps)]: count } : {};
    // in the scope of the batch each map's shifted maps are made once for their scale and once for the score
    return { forwards: 0, explanations: normaliseScope === 'batch' ? 2 * count : count, shared };
  },
  async measure(subject, options) {
    const shifts = shiftsOf(subject.image.shape[2], options.steps);
    if (options.whenPredictionChanges === 'refuse') {
      const changed = (await shiftedPredictions(subject, options.steps)).find(
        ({ predicted }) => predicted !== subject.target,
      );
      if (changed) return predictionChanged(changed, subject.target);
    }
    const { black, white } = levelsOf(subject.image.data);
    if (black === white)
      return { value: null, reason: 'continuity has no score for an image of one colour: no shift changes it.' };
    const ratios = await ratiosOf(subject, shifts, options);
    return { value: Math.max(0, ...ratios), detail: { shifts, ratios } };
  },
});

/** The shifts in columns, positive to the right. */
function shiftsOf(width: number, steps: number): number[] {
  const stride = Math.floor((2 * width + 1) / steps);
  if (stride === 0) return [-width]; // the same shift again would only cost
  return Array.from({ length: steps }, (_, step) => -width + (step + 1) * stride);
}

async function ratiosOf(subject: Subject, shifts: readonly number[], options: ContinuityOptions): Promise<number[]> {
  const moving = shifts.flatMap((shift, step) => (shift === 0 ? [] : [step]));
  const movingShifts = moving.map((step) => shifts[step]);
  const scopes = await companionExtents(subject, movingShifts, options);
  const original: Shown = { image: subject.image, map: subjectMap(subject, options) };
  const ratios = shifts.map(() => 0);
  const chain = options.compare === 'neighbours' ? neighbourChain(shifts, original, ratios) : undefined;
  await explainEach(subject, {
    count: moving.length,
    write: shiftWriter(subject.image, movingShifts),
    visit(index, map, image) {
      const own = extentOf([map], options.normalise);
      const shifted = { image, map: scaleMap(map, scopes ? joinExtents(scopes[index], own) : own, options) };
      if (chain) chain.add(shifted);
      else ratios[moving[index]] = ratioOf(original, shifted);
    },
  });
  chain?.end();
  return ratios;
}

/** An image with its map. */
interface Shown {
  readonly image: Tensor;
  readonly map: Tensor;
}

/** How far the maps of two images are apart, for how far the images are. */
function ratioOf(a: Shown, b: Shown): number {
  const apart = distance(a.image, b.image);
  return apart === 0 ? 0 : absoluteDifference(a.map, b.map) / (apart + 1e-9);
}

/** Writes the ratio of each shift to the one before it; shifts of 0, which nobody explains again, stand in their place. */
function neighbourChain(shifts: readonly number[], original: Shown, ratios: number[]) {
  let last: Shown | undefined;
  let next = 0;
  const place = (shown: Shown) => {
    if (last) ratios[next] = ratioOf(last, shown);
    last = shown;
    next++;
  };
  const skipZeros = () => {
    while (shifts[next] === 0) place(original);
  };
  return {
    add({ image, map }: Shown) {
      skipZeros();
      place({ image: tensor(image.data.slice(), image.shape), map }); // its memory is written over
    },
    end: skipZeros,
  };
}

/** In the scope of the batch: for each moving step, the extent of the other companions' maps. */
async function companionExtents(
  subject: Subject,
  moving: readonly number[],
  { normalise, normaliseScope }: ContinuityOptions,
): Promise<Extent[] | undefined> {
  if (normaliseScope !== 'batch') return undefined;
  let extents: Extent[] = moving.map(() => extentOf([], normalise));
  const place = placeOf(subject);
  for (const [index, companion] of companionsOf(subject).entries()) {
    if (index === place) continue;
    const own = await shiftedExtents(companion, moving, normalise);
    extents = extents.map((extent, step) => joinExtents(extent, own[step]));
  }
  return extents;
}

/** The extents of a subject's shifted maps, once for all its companions. */
function shiftedExtents(subject: Subject, shifts: readonly number[], normalise: Normalise): Promise<Extent[]> {
  const work = async () => {
    const extents: Extent[] = [];
    const visit = (_: number, map: Tensor) => extents.push(extentOf([map], normalise));
    await explainEach(subject, { count: shifts.length, write: shiftWriter(subject.image, shifts), visit });
    return extents;
  };
  const key = `continuity/extents/${normalise}/${shifts.join()}/${subject.target}/${keyOfMap(subject.map)}`;
  return subject.sweeps ? subject.sweeps.once(key, work) : work();
}

/** Writes the image shifted by each of the shifts; its minimum where it has left. */
function shiftWriter(image: Tensor, shifts: readonly number[]): (index: number, pixels: Float32Array) => void {
  const [, , width] = image.shape;
  const { black } = levelsOf(image.data);
  return (index, pixels) => {
    const shift = shifts[index];
    pixels.fill(black);
    if (Math.abs(shift) >= width) return; // nothing is left: the last shift may be W + 1
    for (let start = 0; start < image.data.length; start += width) {
      const visible = image.data.subarray(start + Math.max(0, -shift), start + width - Math.max(0, shift));
      pixels.set(visible, start + Math.max(0, shift));
    }
  };
}

/** What the model predicts for each shifted image, once for all maps of an image. */
async function shiftedPredictions(subject: Subject, steps: number): Promise<{ shift: number; predicted: number }[]> {
  const { image } = subject;
  const shifts = shiftsOf(image.shape[2], steps).filter((shift) => shift !== 0);
  const work = async () => {
    const shape = [1, ...image.shape];
    const logits = await sweep({
      classifier: subject.classifier ?? variantPredictor(referenceEngine(), subject.predict),
      kernel: translate,
      inputs: {
        image: tensor(image.data, shape),
        fill: filled(levelsOf(image.data).black, ...shape),
        shifts: tensor(shifts, [shifts.length, 1]),
      },
      rows: 'shifts',
      options: undefined,
      batch: subject.batchSize ?? defaultBatchSize,
      signal: subject.signal,
    });
    return shifts.map((shift, row) => ({ shift, predicted: predictedClass(rows(logits, row, row + 1).data) }));
  };
  if (shifts.length === 0) return [];
  return subject.sweeps ? subject.sweeps.once(predictionsKey(steps), work) : work();
}

function predictionsKey(steps: number): string {
  return `continuity/${steps}`;
}

function predictionChanged({ shift, predicted }: { shift: number; predicted: number }, target: number): Score {
  return {
    value: null,
    reason: `shifted by ${shift} columns the image is predicted as class ${predicted}, not ${target}.`,
  };
}

function absoluteDifference(left: Tensor, right: Tensor): number {
  let sum = 0;
  for (let index = 0; index < left.data.length; index++) sum += Math.abs(left.data[index] - right.data[index]);
  return sum;
}

function distance(left: Tensor, right: Tensor): number {
  let squares = 0;
  for (let index = 0; index < left.data.length; index++) squares += (left.data[index] - right.data[index]) ** 2;
  return Math.sqrt(squares);
}
