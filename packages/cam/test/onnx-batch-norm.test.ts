import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { mergeBatchNorm } from '../src/onnx/fold-batch-norm.ts';
import { readModel } from '../src/onnx/read.ts';
import { ModelBuilder } from './support/build-model.ts';
import { largestDifference } from './support/compare.ts';
import { otherNetworks } from './support/other-networks.ts';
import { batchNorm, pytorchNetworks } from './support/pytorch-networks.ts';
import { runGraph } from './support/run-model.ts';

const images = uniformTensor(numpyRandom(9), [2, 3, 8, 8]);

test('a merged convolution has weights and bias worked out by hand', () => {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 1, 2, 2] } });
  const conv = net.node('Conv', [net.input, net.floats([3, 5], [2, 1, 1, 1]), net.floats([1, 2])]);
  // γ = 2, 1; β = 0.5, −1; μ = 4, 0; σ² + ε = 4, 1/4: the scales are 2/2 = 1 and 1/0.5 = 2
  const statistics = [
    [2, 1],
    [0.5, -1],
    [4, 0],
    [3.5, -0.25],
  ].map((numbers) => net.floats(numbers));
  const norm = net.node(
    'BatchNormalization',
    [conv, ...statistics],
    { epsilon: { float: 0.5 } },
    { outputs: ['normed'] },
  );
  net.output(net.node('Flatten', [net.node('GlobalAveragePool', [norm])], { axis: 1 }));
  const { nodes, constants } = mergeBatchNorm(readModel(net.bytes()));
  expect(nodes.map(({ op }) => op)).toEqual(['Conv', 'GlobalAveragePool', 'Flatten']);
  expect(nodes[0].outputs).toEqual(['normed']);
  const [weights, bias] = nodes[0].inputs.slice(1).map((name) => [...(constants.get(name)?.data ?? [])]);
  expect(weights).toEqual([3, 10]);
  expect(bias).toEqual([1 * (1 - 4) + 0.5, 2 * (2 - 0) - 1]);
  expect(constants.size).toBe(2);
});

test.each([pytorchNetworks[0], otherNetworks[0]])('$title: merged, the logits stay', async ({ bytes }) => {
  const graph = readModel(bytes);
  const merged = mergeBatchNorm(graph);
  expect(merged.nodes.some(({ op }) => op === 'BatchNormalization')).toBe(false);
  expect(largestDifference(await runGraph(merged, images), await runGraph(graph, images))).toBeLessThan(1e-5);
});

test.each([0, 1])('a Gemm with transB %i, alpha and beta merges too', async (transB) => {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] } });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [net.input])], { axis: 1 });
  const weights = net.weights(transB === 1 ? [5, 3] : [3, 5]);
  const attributes = { transB, alpha: { float: 0.5 }, beta: { float: 3 } };
  const gemm = net.node('Gemm', [rows, weights, net.weights([1, 5])], attributes);
  net.output(net.node('Relu', [batchNorm(net, gemm, 5)]));
  const graph = readModel(net.bytes());
  const merged = mergeBatchNorm(graph);
  expect(merged.nodes.map(({ op }) => op)).toEqual(['GlobalAveragePool', 'Flatten', 'Gemm', 'Relu']);
  expect(largestDifference(await runGraph(merged, images), await runGraph(graph, images))).toBeLessThan(1e-5);
});

test('a convolution whose output is read elsewhere, and a batch norm behind none, stay', () => {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] } });
  const conv = net.node('Conv', [batchNorm(net, net.input, 3), net.weights([3, 3, 1, 1])]);
  const sum = net.node('Add', [conv, batchNorm(net, conv, 3)]);
  const graph = readModel(net.output(net.node('Flatten', [net.node('GlobalAveragePool', [sum])], { axis: 1 })).bytes());
  expect(mergeBatchNorm(graph)).toEqual(graph);
});
