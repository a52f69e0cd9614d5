import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { readModel } from '../src/onnx/read.ts';
import { writeModel } from '../src/onnx/write.ts';
import { softmax } from '../src/softmax.ts';
import { largestDifference } from './support/compare.ts';
import type { Network } from './support/networks.ts';
import { otherNetworks } from './support/other-networks.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { runGraph, runOriginal } from './support/run-model.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';

const networks: readonly Network[] = [...pytorchNetworks, ...tensorflowNetworks, ...otherNetworks];
const images = uniformTensor(numpyRandom(3), [3, 3, 8, 8]);
const size = [8, 8] as const;

describe.each(networks)('$title', (network) => {
  test('reads to a graph that gives the logits of the file itself, at batch sizes 1 and 3', async () => {
    const graph = readModel(network.bytes, { size });
    for (const batch of [images, { data: images.data.subarray(0, 192), shape: [1, 3, 8, 8] }]) {
      const logits = await runGraph(graph, batch);
      const classes = logits.length / batch.shape[0];
      const ours = network.softmax ? softmaxRows(logits, classes) : logits;
      expect(largestDifference(ours, await runOriginal(network, batch))).toBeLessThan(network.tolerance ?? 1e-5);
    }
  });

  test('takes images as 3×8×8, in batches of any size where the file allows it', () => {
    const { input, logits, shapes } = readModel(network.bytes, { size });
    expect(input.shape).toEqual([3, 8, 8]);
    expect(input.batch).toBe(network.open ? 'any' : network.batch);
    expect(shapes.get(input.name)).toEqual([1, 3, 8, 8]);
    expect(shapes.get(logits)).toHaveLength(2);
  });

  test('is left without doing-nothing nodes, constant nodes and constant arithmetic', () => {
    const { nodes, constants } = readModel(network.bytes, { size });
    const idle = nodes.filter(({ op }) => ['Constant', 'Dropout', 'DequantizeLinear'].includes(op));
    const constant = nodes.filter(({ inputs }) => inputs.every((name) => constants.has(name)));
    expect([...idle, ...constant].map(({ name }) => name)).toEqual([]);
  });

  test('is the same file when it is written, read and written again', () => {
    const graph = readModel(network.bytes, { size });
    const written = writeModel(graph, { outputs: [graph.logits] });
    const again = readModel(written);
    expect(Buffer.from(writeModel(again, { outputs: [again.logits] })).equals(written)).toBe(true);
    expect({ ...again, metadata: {} }).toEqual({ ...graph, metadata: {} });
  });
});

function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const rows = Array.from({ length: logits.length / classes }, (_, row) =>
    softmax(logits.subarray(row * classes, (row + 1) * classes)),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}
