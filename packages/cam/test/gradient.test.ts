import { numpyRandom, rows, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Graph, listLayers, ortClassifier, readModel, rules, writeModel } from '../src/index.ts';
import type { Network } from './support/networks.ts';
import { otherNetworks } from './support/other-networks.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { tensorflowNetworks } from './support/tensorflow-networks.ts';

// The gradient at the first and a middle layer of networks of every exporter, held to finite differences: the layer's
// value is moved a little both ways, and ONNX Runtime computes the logits from there on.
const STEP = 2e-3;
const DIRECTIONS = 6;
const networks = [...pytorchNetworks, ...tensorflowNetworks, ...otherNetworks].filter(
  (network) => chosenLayers(readModel(network.bytes, { size: [8, 8] })).length > 0,
);

/** Networks with an operation that has no derivative here; the walk must say which. */
const refused = /transposed convolution|patch tokens|foreign/;

describe.each(networks.filter(({ title }) => !refused.test(title)).map((network) => [network.title, network] as const))(
  '%s',
  (_, network: Network) => {
    test('the gradient is the slope of the logit', async () => {
      const graph = readModel(network.bytes, { size: [8, 8] });
      await using classifier = ortClassifier(graph, { threads: 1 });
      const images = uniformTensor(numpyRandom(11), [2, ...graph.input.shape], -1, 1);
      for (const layer of chosenLayers(graph)) {
        const start = tensor(
          [...rules.gradient.start(classifier.classes, 1), ...rules.gradient.start(classifier.classes, 2)],
          [2, classifier.classes],
        );
        const { activations, arrived } = await classifier.backward(images, layer, 'gradient', start);
        const session = await networkBehind(graph, layer);
        for (const image of [0, 1]) {
          const gradient = rows(arrived, image, image + 1);
          const feeds = {
            [graph.input.name]: rows(images, image, image + 1),
            [layer]: rows(activations, image, image + 1),
          };
          expect(await worstSlope({ session, feeds }, layer, gradient, image + 1)).toBeLessThan(0.02);
        }
        await session.release();
      }
    });
  },
);

test.each(networks.filter(({ title }) => refused.test(title)).map((network) => [network.title, network] as const))(
  '%s: the operation without a rule is named with its node',
  async (_, network) => {
    const graph = readModel(network.bytes, { size: [8, 8] });
    await using classifier = ortClassifier(graph, { threads: 1 });
    const image = uniformTensor(numpyRandom(11), [1, ...graph.input.shape]);
    const start = tensor(rules.gradient.start(classifier.classes, 0), [1, classifier.classes]);
    const walked = classifier.backward(image, chosenLayers(graph)[0], 'gradient', start);
    await expect(walked).rejects.toThrow(/^Op \S+ at node \S+ has no rule in "gradient"/);
  },
);

/** The first layer that has channels and space, and one in the middle. */
function chosenLayers(graph: Graph): string[] {
  const spatial = listLayers(graph).filter(
    ({ family, shape }) => !family && shape && shape[1] * shape[2] > 1 && shape[0] > 1,
  );
  const names = spatial.map(({ value }) => value);
  return [...new Set([names[0], names[Math.floor(names.length / 2)]])].filter((name) => name !== undefined);
}

/** The part of a network behind a layer, as a model whose input is the layer's value. */
function networkBehind(graph: Graph, layer: string): Promise<ort.InferenceSession> {
  const nodes = graph.nodes.filter((node) => !node.outputs.includes(layer));
  const shape = ['batch', ...graph.shapes.get(layer)!.slice(1)];
  const bytes = writeModel({ ...graph, nodes }, { outputs: [graph.logits], inputs: [{ name: layer, shape }] });
  return ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
}

/** Largest difference of a slope from ⟨gradient, direction⟩ over the directions, in units of the gradient's length. */
async function worstSlope(behind: Behind, layer: string, gradient: Tensor, target: number): Promise<number> {
  const here = behind.feeds[layer];
  const length = Math.hypot(...gradient.data) || 1;
  const random = numpyRandom(target);
  let worst = 0;
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const along = unit(here.data.map(() => random.normal()));
    const at = (sign: number) =>
      tensor(
        here.data.map((value, index) => value + sign * STEP * along[index]),
        here.shape,
      );
    const [up, down] = [await logitOf(behind, layer, at(1), target), await logitOf(behind, layer, at(-1), target)];
    const expected = gradient.data.reduce((sum, value, index) => sum + value * along[index], 0);
    worst = Math.max(worst, Math.abs((up - down) / (2 * STEP) - expected) / length);
  }
  return worst;
}

/** The network behind a layer, and what it reads: the layer, and the image where a side path goes round the layer. */
interface Behind {
  readonly session: ort.InferenceSession;
  readonly feeds: { readonly [input: string]: Tensor };
}

async function logitOf({ session, feeds }: Behind, layer: string, value: Tensor, target: number): Promise<number> {
  const all = { ...feeds, [layer]: value };
  const given = session.inputNames.map(
    (name) => [name, new ort.Tensor('float32', all[name].data, all[name].shape)] as const,
  );
  const results = await session.run(Object.fromEntries(given));
  return Number(results[session.outputNames[0]].data[target]);
}

function unit(values: Float32Array): Float32Array {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
