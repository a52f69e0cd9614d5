import { numpyRandom, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, describe, expect, test } from 'vitest';
import { ortClassifier, type RuleName, rules } from '../src/index.ts';
import { relativeDifference } from './support/compare.ts';
import { type Dense, naiveForward, naiveLayers } from './support/naive-network.ts';
import { plainNet } from './support/tiny-nets.ts';

/** Contribution x_i·w_ij of an input to an output, and the output's bias and plain sum: what a rule decides on. */
type Share = (product: number) => number;

/** The share of input i in what arrived at output j, written out from its definition with one contribution at a time. */
interface Twin {
  passed(layer: Dense, input: Float64Array, output: Float64Array, arrived: Float64Array): Float64Array;
}

const positive: Share = (product) => Math.max(product, 0);
const negative: Share = (product) => Math.min(product, 0);
const all: Share = (product) => product;
const stabiliser = (z: number): number => z + (z >= 0 ? 1e-6 : -1e-6);

/** R_i = Σ_j share(x_i w_ij) / (Σ_i share(x_i w_ij) + share(b_j)) · R_j, with what the denominator is at 0. */
function shared(share: Share, withBias: boolean, divide: (z: number) => number): Twin['passed'] {
  return ({ matrix, bias }, input, _, arrived) => {
    const passed = new Float64Array(input.length);
    matrix.forEach((row, j) => {
      const parts = row.map((weight, i) => share(weight * input[i]));
      const z = parts.reduce((sum, part) => sum + part, withBias ? share(bias[j]) : 0);
      const factor = divide(z);
      parts.forEach((part, i) => {
        passed[i] += part * factor * arrived[j];
      });
    });
    return passed;
  };
}

const guarded = (z: number): number => (z === 0 ? 0 : 1 / z);
const stabilised = (z: number): number => 1 / stabiliser(z);
const epsilonEverywhere = shared(all, true, stabilised);
const zennitPlus = shared(positive, true, stabilised);
const zennitMinus = shared(negative, true, stabilised);

const twins: { readonly [rule in RuleName]: Twin } = {
  gradient: {
    passed: ({ matrix, relu }, input, output, arrived) =>
      Float64Array.from(input, (_, i) =>
        matrix.reduce((sum, row, j) => sum + (relu && output[j] <= 0 ? 0 : row[i] * arrived[j]), 0),
      ),
  },
  zPlus: { passed: shared(positive, false, guarded) },
  epsilon: { passed: epsilonEverywhere },
  epsilonPlus: {
    passed: (layer, ...rest) => (layer.kind === 'conv' ? zennitPlus : epsilonEverywhere)(layer, ...rest),
  },
  alphaBeta: {
    passed: (layer, ...rest) => {
      if (layer.kind !== 'conv') return epsilonEverywhere(layer, ...rest);
      const minus = zennitMinus(layer, ...rest);
      return zennitPlus(layer, ...rest).map((value, index) => 2 * value - minus[index]);
    },
  },
};

describe.each(Object.keys(rules) as RuleName[])('%s', (rule) => {
  const graph = plainNet();
  const classifier = ortClassifier(graph);
  afterAll(() => classifier.close());
  const layers = naiveLayers(graph);
  const images = uniformTensor(numpyRandom(5), [3, 3, 6, 6]);
  const targets = [0, 3, 1];

  test.each(['late', 'early'])('is its naive twin of matrices at %s, to 1e-4 of the largest', async (layer) => {
    const starts = targets.map((target) => rules[rule].start(4, target));
    const start = tensor(
      starts.flatMap((one) => [...one]),
      [3, 4],
    );
    const { arrived } = await classifier.backward(images, layer, rule, start);
    const size = arrived.data.length / 3;
    starts.forEach((one, image) => {
      const values = naiveForward(layers, tensor(images.data.slice(image * 108, (image + 1) * 108), [1, 3, 6, 6]));
      let expected = Float64Array.from(one);
      for (let index = layers.length - 1; layers[index].value !== layer; index--) {
        expected = Float64Array.from(twins[rule].passed(layers[index], values[index], values[index + 1], expected));
      }
      expect(relativeDifference(arrived.data.slice(image * size, (image + 1) * size), expected)).toBeLessThan(1e-4);
    });
  });
});

test('zPlus leaves biases out and so conserves relevance, but for classes that nothing speaks for', async () => {
  const graph = plainNet();
  await using classifier = ortClassifier(graph);
  const layers = naiveLayers(graph);
  const dense = layers[layers.length - 1];
  for (const seed of [9, 10, 11]) {
    const image = uniformTensor(numpyRandom(seed), [1, 3, 6, 6]);
    const features = naiveForward(layers, image)[layers.length - 1];
    const start = rules.zPlus.start(4, 2);
    const spokenFor = dense.matrix.map((row) => row.some((weight, feature) => weight * features[feature] > 0));
    const kept = start.reduce((sum, value, index) => sum + (spokenFor[index] ? value : 0), 0);
    for (const layer of ['late', 'early']) {
      const { arrived } = await classifier.backward(image, layer, 'zPlus', tensor(start, [1, 4]));
      expect(arrived.data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(kept, 4);
    }
  }
});
