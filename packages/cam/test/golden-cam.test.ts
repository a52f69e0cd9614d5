import { rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GoldenCheck, goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import {
  type Classifier,
  explain,
  type ImageProbe,
  methods,
  ortClassifier,
  type Probe,
  probeImage,
} from '../src/index.ts';
import { largestDifference, relativeDifference, sampled } from './support/compare.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { goldenImage } from './support/golden-image.ts';

// Each image, layer and target of the golden set is explained once and held to what the peers computed.
const golden = goldenSet('cam');
const inputs = goldenSet('inputs');
const layers = ['layer2', 'layer3', 'layer4'];
const targets = ['pred', 'other'] as const;

let classifier: Classifier;
const probes = new Map<string, ImageProbe>();

beforeAll(async () => {
  classifier = ortClassifier(await embeddedModel());
  for (const image of golden.classes)
    probes.set(image, await probeImage(classifier, await goldenImage(inputs, image), { layers }));
});
afterAll(() => classifier.close());

function probe(image: string, layer: string, target: (typeof targets)[number]): Promise<Probe> {
  const params = golden.arrays.find((array) => array.name === `${image}/logits`)?.params as {
    [target: string]: number;
  };
  return probes.get(image)!.at(layer, params[target]);
}

const cases = golden.classes.flatMap((image) => layers.map((layer) => [image, layer] as const));

describe.each(golden.classes)('%s', (image) => {
  test('logits are those of PyTorch to 1e-4', () => {
    const expected = golden.array(`${image}/logits`)!;
    expect(largestDifference(probes.get(image)!.logits, expected.data)).toBeLessThan(1e-4);
  });
});

describe.each(cases)('%s at %s', (image, layer) => {
  test('activations are those of PyTorch to 1e-4 of the largest', async () => {
    const { activations } = await probe(image, layer, 'pred');
    expect(sampled(activations, golden.value<GoldenCheck>(`${image}/${layer}/activations`))).toBeLessThan(1e-4);
    compareFull(activations, `${image}/${layer}/activations_full`, 1e-4);
  });

  test('gradients are those of PyTorch to 1e-4 of the largest, for both targets', async () => {
    for (const target of targets) {
      const gradients = await (await probe(image, layer, target)).backward('gradient');
      expect(sampled(gradients, golden.value<GoldenCheck>(`${image}/${layer}/gradients/${target}`))).toBeLessThan(1e-4);
      if (target === 'pred') compareFull(gradients, `${image}/${layer}/gradients_full`, 1e-4);
    }
  });

  test('Grad-CAM and Grad-CAM++ are those of pytorch-grad-cam to 1e-3', async () => {
    for (const target of targets) {
      for (const [method, peer] of [
        [methods['grad-cam'], 'GradCAM'],
        [methods['grad-cam++'], 'GradCAMPlusPlus'],
      ] as const) {
        await comparePeer(
          `${image}/${layer}/${peer}/${target}`,
          await explain<object>(await probe(image, layer, target), method),
          1e-3,
        );
      }
    }
  });

  test('relevance and Relevance-CAM are those of its authors to 2e-3', async () => {
    for (const target of targets) {
      const asked = await probe(image, layer, target);
      const relevance = await asked.backward('zPlus');
      expect(sampled(relevance, golden.value<GoldenCheck>(`${image}/${layer}/relevance/${target}`))).toBeLessThan(2e-3);
      if (target === 'pred') compareFull(relevance, `${image}/${layer}/relevance_full`, 2e-3);
      const explained = await explain(asked, methods['relevance-cam'], { minMax: 'before-resize' });
      await comparePeer(`${image}/${layer}/RelevanceCAM/${target}`, explained, 2e-3);
    }
  });

  test('Score-CAM, over the channels that were recorded, is that of pytorch-grad-cam to 1e-3', async () => {
    const name = `${image}/${layer}/ScoreCAM`;
    const { channels } = golden.arrays.find((array) => array.name === `${name}/logits`)!.params as { channels: number };
    const asked = firstChannels(await probe(image, layer, 'pred'), channels);
    const { mask } = (await import('../src/index.ts')).scoreCamVariants['pytorch-grad-cam'];
    const all = Array.from({ length: channels }, (_, channel) => channel);
    expect(
      largestDifference((await asked.maskedLogits(all, mask)).data, golden.array(`${name}/logits`)!.data),
    ).toBeLessThan(1e-3);
    await comparePeer(
      `${name}/pred`,
      await explain(asked, methods['score-cam'], { variant: 'pytorch-grad-cam' }),
      1e-3,
    );
  });
});

const official = golden.arrays.filter((array) => array.name.endsWith('ScoreCAM_official/scores'));

test.each(official.map((array) => array.name.split('/')))(
  'Score-CAM of %s at %s, over the channels that were recorded, is that of its authors to 1e-3',
  async (image, layer) => {
    const name = `${image}/${layer}/ScoreCAM_official`;
    const { channels } = golden.arrays.find((array) => array.name === `${name}/scores`)!.params as { channels: number };
    const explained = await explain(firstChannels(await probe(image, layer, 'pred'), channels), methods['score-cam']);
    expect(largestDifference(explained.weights.data, golden.array(`${name}/scores`)!.data)).toBeLessThan(1e-3);
    const final = golden.arrays.find((array) => array.name === `${name}/final`)!;
    const stride = (final.params as { stride: number }).stride;
    const expected = golden.array(`${name}/final`);
    if (expected) expect(largestDifference(everyNth(explained.map, stride).data, expected.data)).toBeLessThan(1e-3);
  },
  180_000,
);

/** Compares weights, raw map and final map, as far as they were recorded, each relative to its largest value. */
async function comparePeer(
  name: string,
  { weights, coarse, map }: { weights: Tensor; coarse: Tensor; map: Tensor },
  tolerance: number,
) {
  const recorded: [Tensor, Tensor | undefined][] = [
    [weights, golden.array(`${name}/weights`)],
    [coarse, golden.array(`${name}/raw`)],
  ];
  for (const [ours, theirs] of recorded)
    if (theirs) expect(relativeDifference(ours.data, theirs.data)).toBeLessThan(tolerance);
  const coarseFinal = golden.array(`${name}/final_s8`);
  expect(coarseFinal, `${name}/final_s8 is recorded`).toBeDefined();
  expect(largestDifference(everyNth(map, 8).data, coarseFinal!.data)).toBeLessThan(tolerance);
  const final = golden.array(`${name}/final`);
  if (final) expect(largestDifference(map.data, final.data)).toBeLessThan(tolerance);
}

/** Arrays stored whole may hold every n-th channel only. */
function compareFull(ours: Tensor, name: string, tolerance: number): void {
  const expected = golden.array(name);
  if (!expected) return; // the small set in the repository leaves the largest out
  const { stride } = golden.arrays.find((array) => array.name === name)!.params as { stride: number };
  const area = ours.shape[1] * ours.shape[2];
  const kept = ours.data.filter((_, index) => Math.floor(index / area) % stride === 0);
  expect(relativeDifference(kept, expected.data)).toBeLessThan(tolerance);
}

function firstChannels(whole: Probe, channels: number): Probe {
  return { ...whole, activations: rows(whole.activations, 0, channels) };
}

function everyNth(map: Tensor, step: number): Tensor {
  const [height, width] = map.shape;
  const kept = map.data.filter((_, index) => Math.floor(index / width) % step === 0 && (index % width) % step === 0);
  return tensor(kept, [Math.ceil(height / step), Math.ceil(width / step)]);
}
