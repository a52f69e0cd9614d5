import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compute, maskImages, numpyRandom, rows, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import {
  argmax,
  calibrate,
  finishMap,
  type Graph,
  int8Classifier,
  ModelError,
  ortClassifier,
  probeImage,
  quantise,
  quantisedValues,
  readModel,
  rules,
  scoreCamVariants,
  softmax,
  writeModel,
} from '../src/index.ts';
import { affineOf, quantiseLinear } from '../src/onnx/int8-numbers.ts';
import { parseModel } from '../src/onnx/parse-model.ts';
import { ModelBuilder } from './support/build-model.ts';
import { largestDifference, rankCorrelation, relativeDifference } from './support/compare.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { goldenImage } from './support/golden-image.ts';
import { otherNetworks } from './support/other-networks.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';
import { caseR, plainNet } from './support/tiny-nets.ts';

describe('a uint8 scale', () => {
  test.each([
    ['on both sides of 0', [-1, 3], 4 / 255, 64], // 255·1/4 = 63.75
    ['of a ReLU', [0, 5.1], 0.02, 0],
    ['above 0 reaches down to it', [0.5, 2], 2 / 255, 0],
    ['below 0 reaches up to it', [-2, -1], 2 / 255, 255],
    ['of zeros alone', [0, 0], 1, 0],
  ] as const)('%s', (_, range, scale, zeroPoint) => {
    expect(affineOf(range)).toEqual({ scale: Math.fround(scale), zeroPoint });
  });
});

describe('int8 weights', () => {
  test('have a scale for each output, and biases count in its product with the input’s', () => {
    const numbers = quantiseLinear({
      weights: Float32Array.of(127, -63.4, 0.5, -1, 0, 0),
      shape: [3, 2],
      axis: 0,
      bias: [3, -0.2, 0],
      inputScale: 0.5,
    });
    expect([...numbers.weights]).toEqual([127, -63, 64, -127, 0, 0]);
    expect([...numbers.scales]).toEqual([1, Math.fround(1 / 127), 1]);
    expect([...numbers.bias]).toEqual([6, -51, 0]); // −0.2·2·127 = −50.8
  });

  test('of a matrix that stands the other way have theirs along its columns', () => {
    const { weights, scales } = quantiseLinear({
      weights: Float32Array.of(127, 1, -254, 0, 127, 4),
      shape: [2, 3],
      axis: 1,
      bias: [0, 0, 0],
      inputScale: 1,
    });
    expect([...scales]).toEqual([1, 1, 2]);
    expect([...weights]).toEqual([127, 1, -127, 0, 127, 2]);
  });

  test('next to 0 leave room for the bias in a sum of 32 bits', () => {
    const { scales, bias } = quantiseLinear({
      weights: Float32Array.of(1e-20),
      shape: [1, 1],
      axis: 0,
      bias: [-8],
      inputScale: 0.5,
    });
    expect(bias[0]).toBe(-(2 ** 30));
    expect(scales[0] * 0.5 * bias[0]).toBe(-8);
  });
});

describe('quantise', () => {
  test('holds inputs of products and outputs of convolutions, with their ReLU, and no logits', () => {
    expect(quantisedValues(plainNet())).toEqual(['input', 'early', 'late', expect.stringMatching('flatten')]);
  });

  test('a network of whole numbers within the scales loses nothing', async () => {
    // conv: a, −b, a − b of each pixel; every value is a whole number from −128 to 255, every weight 1, 0 or −1
    const image = [127, -20, 3, -128, -128, 64, 0, 5];
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 2, 2, 2] } });
    const kernel = [1, 0, 0, -1, 1, -1];
    const conv = net.node('Conv', [net.input, net.floats(kernel, [3, 2, 1, 1]), net.floats([0, 1, 0])]);
    const dense = Array.from({ length: 24 }, (_, i) => ((i * 7) % 3) - 1);
    const flat = net.node('Flatten', [net.node('Relu', [conv])], { axis: 1 });
    const logits = net.node('Gemm', [flat, net.floats(dense, [2, 12]), net.floats([4, -5])], { transB: 1 });
    net.output(logits, ['batch', 2]);
    const graph = readModel(net.bytes());
    const batch = tensor(image, [1, 2, 2, 2]);

    const hidden = [0, 1, 2].flatMap((o) =>
      [0, 1, 2, 3].map((p) => Math.max(0, kernel[2 * o] * image[p] + kernel[2 * o + 1] * image[4 + p] + [0, 1, 0][o])),
    );
    const expected = [4, -5].map((bias, k) => hidden.reduce((sum, value, i) => sum + dense[12 * k + i] * value, bias));
    await using classifier = int8Classifier(graph, await calibrate(graph, [batch]));
    expect(Math.max(...hidden)).toBe(255);
    expect(largestDifference((await classifier.predict(batch)).data, expected)).toBeLessThan(1e-3);
  });

  test('a value that is 0 for every image stays 0', async () => {
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 1, 2, 2] } });
    const dead = net.node('Relu', [net.node('Conv', [net.input, net.floats([-1, -2], [2, 1, 1, 1])])]);
    const second = net.node('Relu', [net.node('Conv', [dead, net.weights([3, 2, 1, 1]), net.floats([1, 2, 0])])]);
    const flat = net.node('Flatten', [net.node('GlobalAveragePool', [second])], { axis: 1 });
    net.output(net.node('Gemm', [flat, net.floats([1, 0, 0, 0, 1, 0], [2, 3])], { transB: 1 }), ['batch', 2]);
    const graph = readModel(net.bytes());
    const image = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
    await using classifier = int8Classifier(graph, await calibrate(graph, [image]));
    expect(largestDifference((await classifier.predict(image)).data, [1, 2])).toBeLessThan(0.01);
  });

  test('every export of opset 10 or later stays near its float32 logits', async () => {
    const networks = [...pytorchNetworks, ...tensorflowNetworks, ...otherNetworks];
    const images = uniformTensor(numpyRandom(4), [6, 3, 8, 8]);
    let tried = 0;
    for (const network of networks) {
      const graph = readModel(network.bytes, { size: [8, 8] });
      if (graph.opset < 10 || network.title.includes('another domain')) continue; // ONNX Runtime lacks that operator
      await using float = ortClassifier(graph);
      await using int8 = int8Classifier(graph, await calibrate(graph, [images]));
      const [rounded, exact] = [await int8.predict(images), await float.predict(images)];
      // up to six values and as many products are rounded to 1/255 of their range, half a step each: 0.014 was seen
      expect(relativeDifference(rounded.data, exact.data), network.title).toBeLessThan(0.03);
      tried++;
    }
    expect(tried).toBeGreaterThan(15);
  });

  test('ONNX Runtime fuses every convolution and product, at opsets before per-channel scales as well', async () => {
    const images = uniformTensor(numpyRandom(3), [2, 4, 4, 4], 0, 1);
    const graph = caseR();
    const ranges = await calibrate(graph, [images]);
    for (const opset of [17, 11]) {
      const operators = await fusedOperators(quantise({ ...graph, opset }, ranges));
      expect(operators).toEqual(expect.arrayContaining(['QLinearConv', 'QGemm']));
      for (const lost of ['Conv', 'FusedConv', 'Gemm']) expect(operators).not.toContain(lost);
    }
  });

  test('a range that is missing or holds no numbers, no image and an old opset are errors that say so', async () => {
    const graph = caseR();
    const ranges = await calibrate(graph, [uniformTensor(numpyRandom(1), [1, 4, 4, 4], 0, 1)]);
    expect(() => quantise(graph, { ...ranges, x: [0, Number.POSITIVE_INFINITY] })).toThrow(
      /Value x.*got 0 and Infinity/,
    );
    expect(() => quantise(graph, {})).toThrow(ModelError);
    expect(() => quantise({ ...graph, opset: 9 }, ranges)).toThrow(/opset 10 or later/);
    await expect(calibrate(graph, [])).rejects.toThrow('at least one image');
  });
});

describe('int8Classifier', () => {
  test('makes logits in int8; layers and walks are those of the float32 network', async () => {
    const graph = plainNet();
    const images = uniformTensor(numpyRandom(3), [5, 3, 6, 6]);
    const start = tensor(Array.from({ length: 5 }, () => [...rules.gradient.start(4, 1)]).flat(), [5, 4]);
    await using float = ortClassifier(graph);
    await using int8 = int8Classifier(graph, await calibrate(graph, [images]));
    const [exact, rounded] = [await float.predict(images), await int8.predict(images)];
    expect(largestDifference(exact.data, rounded.data)).toBeGreaterThan(0);
    expect(relativeDifference(rounded.data, exact.data)).toBeLessThan(0.02);
    expect(await int8.values(images, ['late'])).toEqual(await float.values(images, ['late']));
    const walked = await Promise.all([int8, float].map((one) => one.backward(images, 'early', 'gradient', start)));
    expect(walked[0]).toEqual(walked[1]);
    expect(int8.device).toBe('onnxruntime cpu int8');
  });

  test('classifies variants as it classifies the images that they are', async () => {
    const graph = plainNet();
    const images = uniformTensor(numpyRandom(3), [2, 3, 6, 6]);
    await using int8 = int8Classifier(graph, await calibrate(graph, [images]));
    const inputs = { image: rows(images, 0, 1), activations: uniformTensor(numpyRandom(8), [7, 3, 3]) };
    const { mask } = scoreCamVariants.author;
    const variants = { kernel: maskImages, inputs, rows: 'activations' as const, options: mask };
    const expected = await int8.predict(compute(maskImages, inputs, mask));
    // a pixel that float32 rounds otherwise may fall into the next of 255 steps
    expect(relativeDifference((await int8.predictVariants(variants)).data, expected.data)).toBeLessThan(0.01);
  });
});

describe('the embedded ResNet-50 in int8', () => {
  test('keeps its answers, and a Score-CAM map to a hundredth of its range', { timeout: 120_000 }, async () => {
    const graph = await embeddedModel();
    const inputs = goldenSet('inputs');
    const images = await Promise.all(inputs.classes.map((name) => goldenImage(inputs, name)));
    await using float = ortClassifier(graph);
    await using int8 = int8Classifier(graph, await calibrate(graph, images));
    for (const image of images) {
      const [exact, rounded] = [(await float.predict(image)).data, (await int8.predict(image)).data];
      expect(argmax(rounded)).toBe(argmax(exact));
      expect(largestDifference(rounded, exact)).toBeLessThan(0.2); // logits reach 6.4; 0.12 was seen
    }
    const shown = await probeImage(float, images[0]);
    const probe = await shown.at('layer4', argmax(shown.logits));
    const channels = [...numpyRandom(11).permutation(2048)].slice(0, 32);
    const asked = await (await probeImage(int8, images[0])).at('layer4', probe.target);
    const maps = await Promise.all(
      [probe, asked].map(async ({ activations, maskedLogits, target }) => {
        const logits = await maskedLogits(channels, scoreCamVariants.author.mask);
        const raw = new Float32Array(49);
        for (const [row, channel] of channels.entries()) {
          const weight = softmax(rows(logits, row, row + 1).data)[target];
          for (let at = 0; at < 49; at++) raw[at] += weight * activations.data[channel * 49 + at];
        }
        return finishMap(tensor(raw, [7, 7]), scoreCamVariants.author.finish, [224, 224]).map;
      }),
    );
    expect(largestDifference(maps[0].data, maps[1].data)).toBeLessThan(0.01); // 0.003 here, 0.007 for 240 channels
    expect(rankCorrelation(maps[0].data, maps[1].data)).toBeGreaterThan(0.999);
  });
});

/** Types of the nodes that are left when ONNX Runtime has compiled a network. */
async function fusedOperators(graph: Graph): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cambium-int8-'));
  const file = join(folder, 'compiled.onnx');
  try {
    const session = await InferenceSession.create(writeModel(graph, { outputs: [graph.logits] }), {
      optimizedModelFilePath: file,
      logSeverityLevel: 4,
    });
    await session.release();
    return parseModel(await readFile(file)).graph.node.map(({ opType }) => opType);
  } finally {
    await rm(folder, { recursive: true });
  }
}
