import { type Predict, type Tensor, tensor, zeros } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { type AnyMetric, type MetricName, metrics, type Subject } from '../src/index.ts';

// Every metric of the registry on one model that sees one pixel, worked out by hand: a new metric needs its line here.

/** Logits (value of the pixel, 0) of 4×4 images of one channel. */
const seen = 5;
const predict: Predict = async (batch) => {
  const logits = zeros(batch.shape[0], 2);
  for (let row = 0; row < batch.shape[0]; row++) logits.data[2 * row] = batch.data[16 * row + seen];
  return logits;
};
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
const [black, grey, white] = [sigmoid(-1), sigmoid(0), sigmoid(1)];

function plane(...pixels: readonly (readonly [pixel: number, value: number])[]): Tensor {
  const { data } = zeros(4, 4);
  for (const [pixel, value] of pixels) data[pixel] = value;
  return tensor(data, [4, 4]);
}

/** 1 at the seen pixel, −1 at the last; a map that points at a pixel, and an explainer that always does. */
function pointing(pixel: number): Subject {
  const map = plane([pixel, 1]);
  return {
    image: tensor(plane([seen, 1], [15, -1]).data, [1, 4, 4]),
    target: 0,
    map,
    predict,
    explain: async () => map,
    mask: plane([0, 1], [1, 1], [4, 1], [5, 1]), // a quadrant
    randomise: { layers: ['b', 'a'], explainer: async () => async () => map },
  };
}

const right = pointing(seen);
/** Where the blur leaves of the seen pixel: its own, less what of the last pixel is spread so far (spec 3.5). */
const blurred = sigmoid(0.0939821 ** 2 - 0.0921911 ** 2);
const companions = [pointing(seen), pointing(seen), pointing(12)];

const answers: { readonly [name in MetricName]: readonly [value: number, options?: object, subject?: Subject] } = {
  'region-perturbation': [white - black, { patchSize: 1, regions: 3 }],
  continuity: [0, { steps: 3 }],
  complexity: [0],
  'non-sensitivity': [0],
  'random-logit': [1],
  'pixel-flipping': [15 * black],
  insertion: [(15.5 * white + 0.5 * blurred) / 16, { pixelsInStep: 1 }],
  deletion: [(0.5 * white + 15.5 * grey) / 16, { pixelsInStep: 1 }],
  selectivity: [3 * black, { patchSize: 2 }],
  irof: [4 - (3 * grey) / white, { patchSize: 2, baseline: 0 }],
  road: [(white - grey) / 2, { percentiles: [95], noise: 0 }],
  'faithfulness-correlation': [1, { runs: 8, subsetSize: 4 }],
  'faithfulness-estimate': [1],
  'monotonicity-correlation': [1, { baseline: 'black', samples: 2 }],
  'sensitivity-n': [1, { subsets: 'random', featuresInStep: 4, samples: 8, output: 'logit' }],
  infidelity: [0, { patchSize: 2 }],
  sufficiency: [1, {}, { ...companions[0], companions }],
  'average-drop': [(100 * (white - grey)) / white, {}, pointing(12)],
  'increase-in-confidence': [0],
  adcc: [3 / (2 + 16 / 15)],
  'max-sensitivity': [0, { samples: 2 }],
  'average-sensitivity': [0, { samples: 2 }],
  'local-lipschitz-estimate': [0, { samples: 2 }],
  'relative-input-stability': [0, { samples: 2 }],
  sparseness: [15 / 16],
  'effective-complexity': [1],
  completeness: [1], // relevance 1, and a difference of 2 from all black
  'model-parameter-randomisation': [1],
  'pointing-game': [1],
  'relevance-mass-accuracy': [1],
  'relevance-rank-accuracy': [3 / 4], // ties in row-major order: pixels 5, 0, 1, 2
  'top-k-intersection': [1, { k: 1 }],
  'localisation-auc': [30 / 48], // ranks 16, and three times the mean of 1 … 15; less 10
  focus: [1],
};

test.each(Object.entries(answers))('%s of a model that sees one pixel is known', async (name, answer) => {
  const [value, options, subject] = answer;
  const metric: AnyMetric = metrics[name as MetricName]; // a key of the table
  const score = await metric.score(subject ?? right, options);
  expect(score, 'reason' in score ? score.reason : '').toHaveProperty('value', expect.closeTo(value, 5)); // float32
});
