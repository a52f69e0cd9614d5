import { numpyRandom } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { ModelError } from '../src/errors.ts';
import { readModel } from '../src/onnx/read.ts';
import { writeModel } from '../src/onnx/write.ts';
import { otherNetworks } from './support/other-networks.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';

const samples = [
  pytorchNetworks[1],
  tensorflowNetworks[0],
  ...otherNetworks.slice(0, 1),
  ...otherNetworks.slice(10, 12),
];

test.each(samples)('$title, cut short at any byte, is a graph or a ModelError', ({ bytes }) => {
  for (let length = 0; length < bytes.length; length++) expectGraphOrModelError(bytes.subarray(0, length));
});

test.each(samples)('$title, with any few bytes changed, is a graph or a ModelError', ({ bytes }) => {
  const random = numpyRandom(11);
  for (let round = 0; round < 800; round++) {
    const damaged = Uint8Array.from(bytes);
    for (let flips = random.integer(1, 4); flips > 0; flips--)
      damaged[random.integer(0, bytes.length)] = random.integer(0, 256);
    expectGraphOrModelError(damaged);
  }
});

/** A graph that is read must be one that can be written. */
function expectGraphOrModelError(bytes: Uint8Array): void {
  try {
    const graph = readModel(bytes);
    expect(writeModel(graph, { outputs: [graph.logits] }).length).toBeGreaterThan(0);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
}
