import { conv2dLast, numpyRandom, programOf, referenceEngine, rows, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { layOutForward } from '../src/classifiers/lay-out.ts';
import { forwardPass } from '../src/forward/forward.ts';
import { ModelError, readModel } from '../src/index.ts';
import { mergeBatchNorm } from '../src/onnx/fold-batch-norm.ts';
import { ModelBuilder } from './support/build-model.ts';
import { largestDifference, relativeDifference } from './support/compare.ts';
import type { Network } from './support/networks.ts';
import { otherNetworks } from './support/other-networks.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { runGraph } from './support/run-model.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';

const networks: readonly Network[] = [...pytorchNetworks, ...tensorflowNetworks, ...otherNetworks];
const images = uniformTensor(numpyRandom(3), [3, 3, 8, 8]);

/** What the kernels do not compute: dynamic shapes, resizing, operators of other domains and of the file's own. */
const beyond = /patch tokens|resize and transposed|a subgraph|a function of its own|another domain/;
const title = ({ title: name }: Network) => name;

test('says which networks are beyond it before it computes, or at the node', () => {
  for (const { bytes } of networks.filter((network) => beyond.test(title(network)))) {
    const graph = readModel(bytes, { size: [8, 8] });
    const values = forwardPass(graph, referenceEngine(), images);
    expect(() => values(graph.logits)).toThrow(ModelError);
  }
});

describe.each(networks.filter((network) => !beyond.test(title(network))))('$title', ({ bytes }) => {
  const graph = readModel(bytes, { size: [8, 8] });

  test.each(['as read', 'with batch normalisations merged'])(
    'gives ONNX Runtime’s logits with kernels, %s',
    async (form) => {
      const network = form === 'as read' ? graph : mergeBatchNorm(graph);
      for (const batch of [images, rows(images, 1, 2)]) {
        const engine = referenceEngine();
        const logits = await engine.download(forwardPass(network, engine, batch)(network.logits));
        expect(largestDifference(logits.data, await runGraph(graph, batch))).toBeLessThan(1e-5);
      }
    },
  );
});

test('every network keeps its logits when it is laid out with channels last', async () => {
  for (const { bytes, title: name } of networks.filter((network) => !beyond.test(title(network)))) {
    const graph = readModel(bytes, { size: [8, 8] });
    const expected = await runGraph(graph, images);
    for (const [precision, allowed] of [
      ['f32', 1e-5],
      ['f16', 1e-2],
    ] as const) {
      const { steps, inputs, outputs } = layOutForward(graph, 3, { convolution: () => conv2dLast, precision });
      const engine = referenceEngine();
      const program = programOf(steps, outputs);
      const known = program.needs.map(
        (value) => [value, engine.upload(value === inputs[0] ? images : value.constant!)] as const,
      );
      const [logits] = program.run(engine, new Map(known)).map((resident) => engine.download(resident));
      expect(relativeDifference((await logits).data, expected), `${name} in ${precision}`).toBeLessThan(allowed);
    }
  }
});

test('computes only what a value needs', () => {
  const engine = referenceEngine();
  const graph = readModel(pytorchNetworks[0].bytes, { size: [8, 8] });
  const ran: string[] = [];
  const counting: typeof engine = {
    ...engine,
    run: (kernel, inputs, options) => {
      ran.push(kernel.name);
      return engine.run(kernel, inputs, options);
    },
  };
  const values = forwardPass(graph, counting, images);
  values(graph.nodes[0].outputs[0]);
  expect(ran).toHaveLength(1);
  values(graph.logits);
  const all = ran.length;
  values(graph.logits);
  expect(ran).toHaveLength(all);
});

test('an operation without kernels is named with its node and the way out', () => {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] } });
  const odd = net.node('Erf', [net.input]);
  net.output(net.node('Flatten', [net.node('GlobalAveragePool', [odd])], { axis: 1 }), ['batch', 3]);
  const graph = readModel(net.bytes());
  const values = forwardPass(graph, referenceEngine(), images);
  expect(() => values(graph.logits)).toThrow(/Op Erf at node .* has no kernels for the GPU.*--device cpu/s);
});
