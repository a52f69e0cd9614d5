import { numpyRandom, type Tensor } from '@cambium/gpu-kernels';
import { defineMetric } from './define-metric.ts';
import { degeneracy } from './degenerate.ts';
import { explainEach } from './explanations.ts';
import { NoScore } from './no-score.ts';
import {
  checkMapOptions,
  companionsOf,
  type Extent,
  extentOf,
  joinExtents,
  type MapOptions,
  mapDefaults,
  placeOf,
  scaleMap,
  subjectMap,
} from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { imageCost, imageLogits } from './outputs.ts';
import { similarityAlongRows, similarityInSquares } from './similarity.ts';
import { keyOfMap } from './sweep-cache.ts';
import type { Subject } from './types.ts';

/** Options of `randomLogit`. */
export interface RandomLogitOptions extends MapOptions {
  /** Classes to draw from; `model` asks the model. */
  readonly classes: number | 'model';
  readonly seed: number;
  readonly similarity: 'along-rows' | 'in-squares';
}

/**
 * How alike the map is to the map of another class, drawn at random. A map that shows the class differs.
 *
 *     score = SSIM(a(x, target), a(x, other))    in [−1, 1]
 *
 * The other class is one draw of `randint(0, classes − 1)` from the seed, plus one where it reaches the target; so called,
 * every image draws alike. In the scope of the batch the companions draw one after another, as Quantus's mini-batches
 * do. Detail: the other class.
 *
 * Quantus's similarity is that of the flattened maps (`along-rows`), and its number of classes must be given; the paper
 * compares images (`in-squares`).
 *
 * @source Sixt et al. 2020, arXiv 1912.09818; spec 2.5; defaults of Quantus but for `classes`
 */
export const randomLogit = defineMetric<RandomLogitOptions>({
  name: 'random-logit',
  title: 'Random logit',
  category: 'randomisation',
  better: 'lower',
  source: 'Sixt et al. 2020, arXiv 1912.09818',
  defaults: { ...mapDefaults, classes: 'model', seed: 42, similarity: 'along-rows' },
  needs: ['predict', 'explain'],
  check(options, image) {
    checkMapOptions(this.name, options);
    if (options.classes !== 'model') requireWhole(this.name, 'classes', options.classes, 2);
    requireWhole(this.name, 'seed', options.seed, 0, 2 ** 32 - 1);
    requireChoice(this.name, 'similarity', options.similarity, ['along-rows', 'in-squares']);
    const squares = options.similarity === 'in-squares';
    if (squares ? Math.min(image[1], image[2]) >= 7 : image[1] * image[2] >= 7) return;
    throw new RangeError(
      `${this.name} expected similarity to have room for windows of 7, got ${options.similarity} with images of ${image[1]}×${image[2]}.`,
    );
  },
  cost: ({ classes }) => ({ forwards: 0, explanations: 1, shared: classes === 'model' ? imageCost : {} }),
  async measure(subject, options) {
    const classes = options.classes === 'model' ? (await imageLogits(subject)).length : options.classes;
    if (classes < 2 || subject.target >= classes) {
      return { value: null, reason: `random-logit has no other class: the target is ${subject.target} of ${classes}.` };
    }
    const others = drawOthers(subject, classes, options);
    const other = others[options.normaliseScope === 'batch' ? Math.max(0, placeOf(subject)) : 0];
    const map = await explainOther(subject, other, options);
    const refusal = degeneracy(map);
    if (refusal) return { value: null, reason: `random-logit has no score here: for class ${other} ${refusal}.` };
    const extent = await extentOfOthers(subject, { map, others }, options);
    const compare = options.similarity === 'along-rows' ? similarityAlongRows : similarityInSquares;
    const value = compare(subjectMap(subject, options), scaleMap(map, extent, options));
    return { value, detail: { otherClass: other } };
  },
});

/** A class other than the target for each companion in turn, or for the subject alone. */
function drawOthers(subject: Subject, classes: number, { seed, normaliseScope }: RandomLogitOptions): number[] {
  const random = numpyRandom(seed);
  const drawing = normaliseScope === 'batch' ? companionsOf(subject) : [subject];
  return drawing.map(({ target }) => {
    const draw = random.integer(0, classes - 1);
    return draw < target ? draw : draw + 1;
  });
}

/** The map of the other class; in the scope of the batch once for all companions, which need its scale. */
function explainOther(
  subject: Subject,
  other: number,
  { normaliseScope, classes }: RandomLogitOptions,
): Promise<Tensor> {
  const work = async () => {
    const maps: Tensor[] = [];
    await explainEach(subject, { count: 1, target: () => other, visit: (_, map) => maps.push(map) }).catch((error) => {
      if (classes === 'model' || subject.signal?.aborted || !(error instanceof Error)) throw error;
      const message = `for class ${other}, drawn from the ${classes} of its option classes, ${error.message}`;
      if (error instanceof NoScore) throw new NoScore(message);
      throw new RangeError(`random-logit got no map: ${message}`, { cause: error });
    });
    return maps[0];
  };
  if (normaliseScope !== 'batch' || !subject.sweeps) return work();
  return subject.sweeps.once(`random-logit/${other}/${subject.target}/${keyOfMap(subject.map)}`, work);
}

/** In the scope of the batch the other maps of all companions share one scale. */
async function extentOfOthers(
  subject: Subject,
  { map, others }: { map: Tensor; others: readonly number[] },
  options: RandomLogitOptions,
): Promise<Extent> {
  let extent = extentOf([map], options.normalise);
  if (options.normaliseScope !== 'batch') return extent;
  const place = placeOf(subject);
  for (const [index, companion] of companionsOf(subject).entries()) {
    if (index === place) continue;
    const other = await explainOther(companion, others[index], options);
    extent = joinExtents(extent, extentOf([other], options.normalise));
  }
  return extent;
}
