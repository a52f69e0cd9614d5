import type { Tensor } from '@cambium/gpu-kernels';
import { pearson } from './correlation.ts';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { explainEach } from './explanations.ts';
import { scaledAlone } from './noisy-maps.ts';
import { requireChoice, requireWhole } from './options.ts';
import { meanRanks } from './statistics/rank.ts';
import type { Explain, Randomise, Score, Subject } from './types.ts';

/** Options of `modelParameterRandomisation`. */
export interface ModelParameterRandomisationOptions {
  /** Layers drawn anew: cumulatively from the output, cumulatively from the input, or each alone. */
  readonly order: 'top-down' | 'bottom-up' | 'independent';
  /** How many layers, from the start of the order; all that the network has. */
  readonly layers: number | 'all';
  readonly seed: number;
  readonly absolute: boolean;
}

/**
 * Whether the map depends on what the network has learned: how much it stays like itself while the parameters of the
 * network are drawn anew, layer after layer.
 *
 *     mean over steps of Spearman(E(x), E(x) of the network with more random layers), over the H·W pixels
 *
 * In −1 … 1. Detail: the similarity at each step. A step whose map is the same everywhere has none and is left out;
 * `flat` counts those. Each layer costs an explanation; `cost` takes the number of layers that the network has.
 *
 * @source Adebayo et al. 2018, arXiv 1810.03292, section 3; spec 2.6; defaults of Quantus's MPRT, whose own average
 * counts the unchanged network, too
 */
export const modelParameterRandomisation = defineMetric<ModelParameterRandomisationOptions>({
  name: 'model-parameter-randomisation',
  title: 'Parameter randomisation',
  category: 'randomisation',
  better: 'lower',
  source: 'Adebayo et al. 2018, arXiv 1810.03292',
  defaults: { order: 'top-down', layers: 'all', seed: 42, absolute: true },
  needs: ['randomise'],
  check({ order, layers, seed, absolute }) {
    requireChoice(this.name, 'order', order, ['top-down', 'bottom-up', 'independent']);
    if (layers !== 'all') requireWhole(this.name, 'layers', layers, 1);
    requireWhole(this.name, 'seed', seed, 0, 2 ** 32 - 1);
    requireChoice(this.name, 'absolute', absolute, [true, false]);
  },
  cost: ({ layers }, _image, most = 54) => ({
    forwards: 0,
    explanations: layers === 'all' ? most : layers,
    shared: {},
  }),
  measure: meanSimilarity,
});

async function meanSimilarity(subject: Subject, options: ModelParameterRandomisationOptions): Promise<Score> {
  const { randomise, map } = subject;
  const ranks = ranksOf(map, options);
  const similarities: number[] = [];
  let flat = 0;
  for (const layers of randomise ? stepsOf(randomise, options) : []) {
    const explain = await randomise!.explainer(layers, options.seed); // there are steps, so there is something to draw
    const similarity = pearson(ranks, ranksOf(await explained(subject, explain), options)); // of ranks: Spearman's
    if (Number.isNaN(similarity)) flat++;
    else similarities.push(similarity);
  }
  if (similarities.length > 0) return { value: meanOf(similarities), detail: { similarities, flat } };
  const reason = flat > 0 ? 'every map of a randomised network is the same everywhere' : 'the network has no layers';
  return { value: null, reason: `model-parameter-randomisation has no score here: ${reason}.` };
}

/** The layers to draw anew, step by step. */
function stepsOf({ layers }: Randomise, { order, layers: count }: ModelParameterRandomisationOptions): string[][] {
  const ordered = order === 'bottom-up' ? layers.toReversed() : [...layers];
  const chosen = count === 'all' ? ordered : ordered.slice(0, count);
  return chosen.map((layer, index) => (order === 'independent' ? [layer] : chosen.slice(0, index + 1)));
}

/** The subject's image explained by another function. */
async function explained(subject: Subject, explain: Explain): Promise<Tensor> {
  const maps: Tensor[] = [];
  const other = { ...subject, explain, explainBatch: undefined };
  await explainEach(other, { count: 1, visit: (_, map) => maps.push(map) });
  return maps[0];
}

function ranksOf(map: Tensor, { absolute }: ModelParameterRandomisationOptions): Float64Array {
  return meanRanks(scaledAlone(map, { normalise: 'none', absolute }).data);
}
