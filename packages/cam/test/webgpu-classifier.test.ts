import {
  type ConvolutionShape,
  conv2dLastDirect,
  conv2dLastWith,
  conv2dWinograd,
  fillRegions,
  maskImages,
  numpyRandom,
  type OpenedDevice,
  replacePixels,
  rows,
  type Tensor,
  tensor,
  translate,
  uniformTensor,
  zeros,
} from '@cambium/gpu-kernels';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import {
  type Classifier,
  hybridClassifier,
  ModelError,
  ortClassifier,
  type RuleName,
  readModel,
  rules,
  webgpuClassifier,
} from '../src/index.ts';
import { ModelBuilder } from './support/build-model.ts';
import { relativeDifference } from './support/compare.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';
import { tinyResnet } from './support/tiny-resnet.ts';

const graph = tinyResnet();
const images = uniformTensor(numpyRandom(8), [5, 3, 19, 17], -2, 2);
const image = rows(images, 0, 1);
const ruleNames = Object.keys(rules) as RuleName[]; // the registry's own keys

describeGpu('webgpuClassifier on a tiny residual network', ({ open }) => {
  let opened: OpenedDevice;
  const reference = ortClassifier(graph);

  async function expectWalks(classifier: Classifier, rule: RuleName): Promise<void> {
    for (const layer of ['stem', 'block1', 'block2']) {
      const start = tensor(Array.from({ length: 5 }, (_, row) => [...rules[rule].start(4, row % 4)]).flat(), [5, 4]);
      const ours = await classifier.backward(images, layer, rule, start);
      const theirs = await reference.backward(images, layer, rule, start);
      expectClose(ours.logits, theirs.logits);
      expectClose(ours.activations, theirs.activations);
      expectClose(ours.arrived, theirs.arrived);
    }
  }

  beforeAll(async () => {
    opened = await open();
  });
  afterAll(async () => {
    await reference.close();
    opened.close();
  });

  describe('that divides the work with ONNX Runtime', () => {
    const openHybrid = () => hybridClassifier(ortClassifier(graph), opened, { maxBatch: 4 });

    test('logits and layers are those of ONNX Runtime itself', async () => {
      await using classifier = openHybrid();
      expect(await classifier.values(images, ['block1'])).toEqual(await reference.values(images, ['block1']));
    });

    test.each(ruleNames)('a walk back under %s is ONNX Runtime’s', async (rule) => {
      await using classifier = openHybrid();
      await expectWalks(classifier, rule);
    });
  });

  const programs = {
    direct: conv2dLastDirect,
    '64×64 tiles': conv2dLastWith('64×64'),
    '64×128 tiles': conv2dLastWith('64×128'),
    '128×64 tiles': conv2dLastWith('128×64'),
    '64×64 tiles, Winograd’s way where it can be': conv2dLastWith('64×64'),
  };

  describe.each(Object.entries(programs))('with convolutions by %s', (name, convolution) => {
    const programFor = ({ options }: ConvolutionShape) =>
      name.includes('Winograd') && conv2dWinograd.suits?.(options) ? conv2dWinograd : convolution;
    const openClassifier = () => webgpuClassifier(graph, opened, { convolution: programFor, maxBatch: 3 });

    test('logits and layers are ONNX Runtime’s', async () => {
      await using classifier = openClassifier();
      const layers = ['stem', 'block1', 'block2'];
      const [ours, theirs] = [await classifier.values(images, layers), await reference.values(images, layers)];
      expectClose(ours.logits, theirs.logits);
      for (const layer of layers) expectClose(ours.layers[layer], theirs.layers[layer]);
    });

    // every program under one rule, two of them under all
    const few = name.includes('128') ? ruleNames.slice(0, 1) : ruleNames;
    test.each(few)('a walk back under %s is ONNX Runtime’s', async (rule) => {
      await using classifier = openClassifier();
      await expectWalks(classifier, rule);
    });
  });

  test.each(['zPlus', 'alphaBeta'] as const)('Winograd’s rounding is nothing to divide by under %s', async (rule) => {
    for (const seed of [0, 1, 2, 3]) {
      const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 16, 16] }, seed });
      const around = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
      const bias = (value: number) => net.floats(Array.from({ length: 4 }, () => value));
      const sparse = net.node('Relu', [net.node('Conv', [net.input, net.weights([4, 3, 3, 3]), bias(-1.5)], around)]);
      const next = net.node('Relu', [net.node('Conv', [sparse, net.weights([4, 4, 3, 3]), bias(0.1)], around)]);
      const means = net.node('Flatten', [net.node('GlobalAveragePool', [next])], { axis: 1 });
      net.output(net.node('Gemm', [means, net.weights([4, 5]), net.weights([5])]), ['batch', 5]);
      const network = readModel(net.bytes());
      const batch = uniformTensor(numpyRandom(seed), [1, 3, 16, 16], -2, 2);
      const start = tensor([...rules[rule].start(5, 1)], [1, 5]);
      const convolution = ({ options }: ConvolutionShape) =>
        conv2dWinograd.suits?.(options) ? conv2dWinograd : conv2dLastDirect;
      await using ours = webgpuClassifier(network, opened, { convolution });
      await using theirs = ortClassifier(network);
      const expected = await theirs.backward(batch, sparse, rule, start);
      expectClose((await ours.backward(batch, sparse, rule, start)).arrived, expected.arrived);
    }
  });

  test.each(['webgpu', 'hybrid'])(
    'logits of variants are ONNX Runtime’s, whatever kernel makes them (%s)',
    async (kind) => {
      await using classifier =
        kind === 'webgpu'
          ? webgpuClassifier(graph, opened, { maxBatch: 4 })
          : hybridClassifier(ortClassifier(graph), opened, { maxBatch: 4 });
      const random = numpyRandom(4);
      const fill = zeros(...image.shape);
      const ranks = (shape: number[]) => {
        const { data } = uniformTensor(random, shape, 0, 9);
        return tensor(data.map(Math.floor), shape);
      };
      const mask = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
      const batches = [
        {
          kernel: maskImages,
          inputs: { image, activations: uniformTensor(random, [6, 3, 2]) },
          rows: 'activations',
          options: mask,
        },
        {
          kernel: fillRegions,
          inputs: { image, fill, ranks: ranks([1, 19, 17]), steps: tensor([0, 3, 9], [3, 1]) },
          rows: 'steps',
          options: undefined,
        },
        {
          kernel: replacePixels,
          inputs: { image, fill, ranks: ranks([1, 3, 19, 17]), ranges: tensor([0, 3, 2, 9], [2, 2]) },
          rows: 'ranges',
          options: undefined,
        },
        {
          kernel: translate,
          inputs: { image, fill, shifts: tensor([-3, 0, 5], [3, 1]) },
          rows: 'shifts',
          options: undefined,
        },
      ] as const;
      for (const batch of batches) {
        // biome-ignore lint/suspicious/noExplicitAny: kernels of different signatures in one list
        const each = batch as any;
        expectClose(await classifier.predictVariants(each), await reference.predictVariants(each));
      }
    },
  );

  test('in half precision logits are near those of float32, and layers and walks are float32', async () => {
    await using halves = webgpuClassifier(graph, opened, { precision: 'f16', maxBatch: 3 });
    const { logits } = await reference.values(images, []);
    const difference = relativeDifference((await halves.predict(images)).data, logits.data);
    expect(difference).toBeLessThan(2e-3); // a few roundings to 2⁻¹¹
    expect(difference).toBeGreaterThan(1e-6); // it was rounded
    expectClose(
      (await halves.values(images, ['block2'])).layers.block2,
      (await reference.values(images, ['block2'])).layers.block2,
    );
    await expectWalks(halves, 'zPlus');
    const masks = {
      kernel: maskImages,
      inputs: { image, activations: uniformTensor(numpyRandom(3), [7, 3, 2]) },
      rows: 'activations',
      options: { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 },
    } as const;
    const [masked, expected] = [await halves.predictVariants(masks), await reference.predictVariants(masks)];
    expect(relativeDifference(masked.data, expected.data)).toBeLessThan(2e-3);
  });

  const others = [...tensorflowNetworks, ...pytorchNetworks].filter(({ title }) =>
    /opset 13, mobile|opset 7, squeeze and excitation|opset 17, channel shuffle/.test(title),
  );

  test.each(others)('other networks are computed as by ONNX Runtime, in both precisions: $title', async ({ bytes }) => {
    const network = readModel(bytes, { size: [8, 8] });
    const batch = uniformTensor(numpyRandom(5), [3, 3, 8, 8], -2, 2);
    await using theirs = ortClassifier(network);
    const expected = await theirs.predict(batch);
    await using floats = webgpuClassifier(network, opened);
    expectClose(await floats.predict(batch), expected);
    await using halves = webgpuClassifier(network, opened, { precision: 'f16' });
    expect(relativeDifference((await halves.predict(batch)).data, expected.data)).toBeLessThan(1e-2);
  });

  test.each([
    { title: 'packed in one size', second: [4, 4, 2, 1], heads: 4 },
    { title: 'packed in two sizes', second: [8, 4, 1, 1], heads: 8 },
  ])('weights that are read in two shapes stay two: $title', async ({ second, heads }) => {
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 9, 8] }, seed: 3 });
    const weights = net.weights([4, 8]);
    const as = (shape: readonly number[]) => net.node('Reshape', [weights, net.integers(shape)]);
    const stem = net.node('Relu', [net.node('Conv', [net.input, net.weights([8, 3, 3, 3])], { kernel_shape: [3, 3] })]);
    const first = net.node('Relu', [net.node('Conv', [stem, as([4, 8, 1, 1])])]);
    const last = net.node('Relu', [net.node('Conv', [first, as(second)])]);
    const means = net.node('Flatten', [net.node('GlobalAveragePool', [last])], { axis: 1 });
    net.output(net.node('Gemm', [means, net.weights([heads, 5]), net.weights([5])]), ['batch', 5]);
    const network = readModel(net.bytes());
    const batch = uniformTensor(numpyRandom(2), [3, 3, 9, 8], -2, 2);
    const start = tensor(Array.from({ length: 3 }, () => [...rules.zPlus.start(5, 1)]).flat(), [3, 5]);
    await using theirs = ortClassifier(network);
    await using floats = webgpuClassifier(network, opened);
    await using halves = webgpuClassifier(network, opened, { precision: 'f16' });
    await using hybrid = hybridClassifier(ortClassifier(network), opened);
    const expected = await theirs.predict(batch);
    expectClose(await floats.predict(batch), expected);
    expect(relativeDifference((await halves.predict(batch)).data, expected.data)).toBeLessThan(1e-2);
    const { arrived } = await theirs.backward(batch, stem, 'zPlus', start);
    for (const classifier of [floats, hybrid]) {
      expectClose((await classifier.backward(batch, stem, 'zPlus', start)).arrived, arrived);
    }
  });

  test('questions asked at once are kept apart', async () => {
    await using classifier = webgpuClassifier(graph, opened, { maxBatch: 2, questions: 1 });
    const asked = Array.from({ length: 5 }, (_, row) => classifier.predict(rows(images, row, row + 1)));
    const expected = await classifier.predict(images);
    const answers = await Promise.all(asked);
    answers.forEach((answer, row) => {
      expectClose(answer, rows(expected, row, row + 1));
    });
  });

  test('an operation without kernels is refused when the classifier is opened', () => {
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] } });
    const odd = net.node('Erf', [net.input]);
    net.output(net.node('Flatten', [net.node('GlobalAveragePool', [odd])], { axis: 1 }), ['batch', 3]);
    expect(() => webgpuClassifier(readModel(net.bytes()), opened)).toThrow(ModelError);
  });

  test('refuses images of another size and images that are not finite', async () => {
    await using classifier = webgpuClassifier(graph, opened);
    await expect(classifier.predict(zeros(1, 3, 8, 8))).rejects.toThrow('images of 3×19×17');
    const broken = tensor(new Float32Array(image.data.length).fill(Number.NaN), image.shape);
    await expect(classifier.predict(broken)).rejects.toThrow(ModelError);
  });
});

/** Within 1e-4 of the largest number: float32, summed in another order. */
function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(relativeDifference(actual.data, expected.data)).toBeLessThan(1e-4);
}
