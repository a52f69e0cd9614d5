import { numpyRandom, tensor, uniformTensor } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { ortClassifier } from '../src/classifiers/ort.ts';
import { readModel, rules } from '../src/index.ts';
import { ModelBuilder } from './support/build-model.ts';
import { relativeDifference } from './support/compare.ts';

type Four = readonly [number, number, number, number];

interface Case {
  readonly op: 'MaxPool' | 'AveragePool';
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: Four;
}

/** A pooling whose rounding up adds windows that begin in the padding at the end. */
const cases = (['MaxPool', 'AveragePool'] as const).flatMap((op): readonly Case[] => [
  { op, size: [7, 8], kernel: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1] }, // along both axes
  { op, size: [5, 6], kernel: [2, 3], strides: [3, 2], pads: [0, 0, 1, 0] }, // while another reaches past the padding
  { op, size: [7, 9], kernel: [2, 2], strides: [3, 3], pads: [1, 1, 1, 0] },
]);

function network({ op, size, kernel, strides, pads }: Case) {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 2, ...size] }, seed: 3 });
  const convolved = net.node('Conv', [net.input, net.weights([3, 2, 1, 1])], { kernel_shape: [1, 1] });
  const layer = net.node('Relu', [convolved]);
  const counted: { readonly [name: string]: number } = op === 'AveragePool' ? { count_include_pad: 1 } : {};
  const attributes = { kernel_shape: kernel, strides, pads, ceil_mode: 1, ...counted };
  const pooled = net.node('Relu', [net.node(op, [layer], attributes)]);
  const means = net.node('Flatten', [net.node('GlobalAveragePool', [pooled])], { axis: 1 });
  const logits = net.node('Gemm', [means, net.weights([3, 4])]);
  return { bytes: net.output(logits, ['batch', 4]).bytes(), layer, logits };
}

describe.each(cases)('$op $kernel at strides $strides on $size with pads $pads', (pooling) => {
  const { bytes, layer, logits } = network(pooling);
  const images = uniformTensor(numpyRandom(1), [2, 2, ...pooling.size], -1, 1);

  test('gives the logits that ONNX Runtime gives of the file', async () => {
    await using classifier = ortClassifier(readModel(bytes));
    const session = await ort.InferenceSession.create(bytes);
    const answers = await session.run({ input: new ort.Tensor('float32', images.data, images.shape) });
    const expected = answers[logits].data as Float32Array; // logits are float32
    await session.release();
    const { data } = await classifier.predict(images);
    expect(relativeDifference(data, expected)).toBeLessThan(1e-6); // the same operations
  });

  test('can be walked back by ONNX Runtime: the gradient predicts what a small step changes', async () => {
    await using classifier = ortClassifier(readModel(bytes));
    const one = [...rules.gradient.start(4, 1)];
    const start = tensor([...one, ...one], [2, 4]);
    const { activations, arrived } = await classifier.backward(images, layer, 'gradient', start);
    expect(arrived.shape).toEqual(activations.shape);
    // piecewise linear without a constant behind the layer, so the logit is the product of values and gradient
    const row = activations.data.length / 2;
    const products = [0, 1].map((image) => {
      const from = image * row;
      return activations.data
        .subarray(from, from + row)
        .reduce((sum, value, index) => sum + value * arrived.data[from + index], 0);
    });
    const { data } = await classifier.predict(images);
    expect(products[0]).toBeCloseTo(data[1], 5);
    expect(products[1]).toBeCloseTo(data[5], 5);
    expect(Math.abs(products[0])).toBeGreaterThan(1e-3);
    for (const rule of ['zPlus', 'epsilon'] as const) await classifier.backward(images, layer, rule, start);
  });
});
