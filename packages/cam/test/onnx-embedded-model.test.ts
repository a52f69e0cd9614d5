import { readFileSync } from 'node:fs';
import { stack } from '@cambium/gpu-kernels';
import { beforeAll, expect, test } from 'vitest';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import { mergeBatchNorm } from '../src/onnx/fold-batch-norm.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { readModel } from '../src/onnx/read.ts';
import { writeModel } from '../src/onnx/write.ts';
import { largestDifference } from './support/compare.ts';
import { embeddedModel, embeddedModelPath } from './support/embedded-model.ts';
import { goldenImage } from './support/golden-image.ts';
import { runGraph } from './support/run-model.ts';

let graph: Graph;

beforeAll(async () => {
  graph = await embeddedModel();
});

test('its int8 weights are folded to float32 and everything else is kept', () => {
  const byOp = Map.groupBy(graph.nodes, ({ op }) => op);
  const ops = Object.fromEntries([...byOp].map(([op, nodes]) => [op, nodes.length]));
  expect(ops).toEqual({
    Conv: 53,
    BatchNormalization: 53,
    Relu: 49,
    MaxPool: 1,
    Add: 16,
    GlobalAveragePool: 1,
    Flatten: 1,
    Gemm: 1,
  });
  expect([...graph.constants.values()].every(({ type }) => type === 'float32')).toBe(true);
  expect(graph.input).toEqual({ name: 'input', shape: [3, 224, 224], batch: 'any' });
  expect(graph.metadata.labels.split(',')).toHaveLength(10);
});

test('the shapes of its layers are those of ResNet-50', () => {
  const shapes = ['layer1.2', 'layer2.3', 'layer3.5', 'layer4.2', 'logits'].map((name) => graph.shapes.get(name));
  expect(shapes).toEqual([
    [1, 256, 56, 56],
    [1, 512, 28, 28],
    [1, 1024, 14, 14],
    [1, 2048, 7, 7],
    [1, 10],
  ]);
  expect(graph.nodes.every(({ outputs }) => outputs.every((name) => graph.shapes.has(name)))).toBe(true);
});

// Sums are taken in another order on every machine; 1e-4 is what the golden set asks for.
test('its logits are those of PyTorch, with batch norm kept and merged', async () => {
  const inputs = goldenSet('inputs');
  const images = stack(await Promise.all(inputs.classes.map((name) => goldenImage(inputs, name))));
  const expected = inputs.classes.flatMap((name) => [...(inputs.array(`logits/${name}`)?.data ?? [])]);
  expect(largestDifference(await runGraph(graph, images), expected)).toBeLessThan(1e-4);
  expect(largestDifference(await runGraph(mergeBatchNorm(graph), images), expected)).toBeLessThan(1e-4);
});

test('it is read and written in well under a second each', () => {
  const bytes = readFileSync(embeddedModelPath);
  const start = performance.now();
  const read = readModel(bytes);
  const middle = performance.now();
  writeModel(read, { outputs: [read.logits] });
  // 0.12 s and 0.27 s on an idle core; the bound leaves room for a busy one.
  expect(middle - start).toBeLessThan(2000);
  expect(performance.now() - middle).toBeLessThan(2000);
});
