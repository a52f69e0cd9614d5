import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GoldenCheck, goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import { type Classifier, ortClassifier, type RuleName, resolveLayer, rules } from '../src/index.ts';
import { relativeDifference, sampled } from './support/compare.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { goldenImage } from './support/golden-image.ts';

// Relevance of the whole network under zennit's composites, at the input of each stage: the output of the one before.
const golden = goldenSet('lrp');
const inputs = goldenSet('inputs');
const composites: readonly [composite: string, rule: RuleName][] = [
  ['EpsilonPlus', 'epsilonPlus'],
  ['EpsilonAlpha2Beta1', 'alphaBeta'],
];
const places = { layer2_in: 'layer1', layer3_in: 'layer2', layer4_in: 'layer3', avgpool_in: 'layer4' } as const;

let classifier: Classifier;
beforeAll(async () => {
  classifier = ortClassifier(await embeddedModel());
});
afterAll(() => classifier.close());

describe.each(composites)('%s', (composite, rule) => {
  test.each(golden.classes)('of %s is that of zennit to 1e-3 of the largest, and sums to the same', async (image) => {
    const name = `${image}/${composite}`;
    const { target_class: target } = golden.values.find((value) => value.name === `${name}/sums`)!.params as {
      target_class: number;
    };
    const sums = golden.value<{ [place: string]: number }>(`${name}/sums`);
    const start = tensor(rules[rule].start(classifier.classes, target), [1, classifier.classes]);
    const batch = await goldenImage(inputs, image);
    for (const [place, layer] of Object.entries(places)) {
      const { arrived } = await classifier.backward(batch, resolveLayer(classifier.graph, layer), rule, start);
      const relevance = tensor(arrived.data, arrived.shape.slice(1));
      expect(sampled(relevance, golden.value<GoldenCheck>(`${name}/${place}`))).toBeLessThan(1e-3);
      expect(Math.abs(total(arrived.data) - sums[place])).toBeLessThan(1e-3);
      const spatial = golden.array(`${name}/${place}/spatial`);
      if (spatial) expect(relativeDifference(overChannels(relevance), spatial.data)).toBeLessThan(1e-3);
    }
  });
});

function overChannels({ data, shape }: Tensor): Float64Array {
  const area = shape[1] * shape[2];
  const sums = new Float64Array(area);
  data.forEach((value, index) => {
    sums[index % area] += value;
  });
  return sums;
}

function total(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
