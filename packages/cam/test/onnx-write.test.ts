import { channelMeans, multiply, numpyRandom, onnxEngine, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../src/errors.ts';
import { parseModel } from '../src/onnx/parse-model.ts';
import { readModel } from '../src/onnx/read.ts';
import { writeModel, writeTrace } from '../src/onnx/write.ts';
import { ModelBuilder } from './support/build-model.ts';
import { largestDifference } from './support/compare.ts';

const images = uniformTensor(numpyRandom(5), [2, 3, 4, 4]);
const feed = () => new Tensor('float32', images.data, [2, 3, 4, 4]);

/** Relu → mean over space → product with a 3×2 matrix. */
function smallGraph() {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 4, 4] } });
  const maps = net.node('Relu', [net.input], {}, { outputs: ['maps'] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [maps])], { axis: 1 });
  net.output(net.node('MatMul', [rows, net.floats([1, 2, 3, 4, 5, 6], [3, 2])], {}, { outputs: ['logits'] }));
  return readModel(net.bytes());
}

async function run(bytes: Uint8Array, feeds: { readonly [name: string]: Tensor }) {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const results = await session.run(feeds);
  return { results, inputs: session.inputNames, outputs: session.outputNames };
}

describe('a graph is written', () => {
  test('with the values that are asked for, in their order, once each', async () => {
    const bytes = writeModel(smallGraph(), { outputs: ['maps', 'logits', 'maps'] });
    const { results, outputs } = await run(bytes, { input: feed() });
    expect(outputs).toEqual(['maps', 'logits']);
    expect([...results.maps.dims, ...results.logits.dims]).toEqual([2, 3, 4, 4, 2, 2]);
  });

  test('without what those values do not need', () => {
    const { nodes, constants } = { nodes: ['Relu'], constants: 0 };
    const net = readBack(writeModel(smallGraph(), { outputs: ['maps'] }));
    expect(net).toEqual({ nodes, constants });
  });

  test('with its metadata, operator sets and a symbolic batch', () => {
    const graph = { ...smallGraph(), metadata: { labels: 'a,b' }, domains: new Map([['com.microsoft', 1]]) };
    const again = readModel(writeModel(graph, { outputs: ['logits'] }));
    expect(again).toEqual({ ...graph, functions: [] });
    expect(again.input).toEqual({ name: 'input', shape: [3, 4, 4], batch: 'any' });
  });

  test('with a fixed batch where it has one', async () => {
    const graph = smallGraph();
    const fixed = { ...graph, input: { ...graph.input, batch: 2 }, shapes: new Map([['logits', [2, 2]]]) };
    const session = await InferenceSession.create(writeModel(fixed, { outputs: ['logits'] }));
    expect(session.inputMetadata[0]).toMatchObject({ shape: [2, 3, 4, 4] });
  });

  test('and a value that does not exist is refused by name', () => {
    expect(() => writeModel(smallGraph(), { outputs: ['lgits'] })).toThrow(ModelError);
    expect(() => writeModel(smallGraph(), { outputs: ['lgits'] })).toThrow('"lgits", which nothing makes');
  });
});

describe('traced nodes join a graph', () => {
  test('behind it, with an input of their own', async () => {
    const engine = onnxEngine(17);
    const maps = engine.value('maps', [1, 3, 4, 4]);
    const factor = engine.value('factor', [1, 3, 4, 4]);
    const means = engine.run(
      channelMeans,
      { input: engine.run(multiply, { left: maps, right: factor }, undefined) },
      undefined,
    );
    const { nodes, constants } = engine.trace;
    const inputs = [{ name: 'factor', shape: ['batch', 3, 4, 4] }];
    const outputs = [engine.nameOf(means), 'logits'];
    const bytes = writeModel(smallGraph(), { outputs, inputs, nodes, constants });
    const two = new Tensor('float32', new Float32Array(96).fill(2), [2, 3, 4, 4]);
    const { results } = await run(bytes, { input: feed(), factor: two });
    const mean = images.data.slice(0, 16).reduce((sum, value) => sum + Math.max(value, 0), 0) / 16;
    expect(Number(results[outputs[0]].data[0])).toBeCloseTo(2 * mean, 5);
    expect(results.logits.dims).toEqual([2, 2]);
  });

  test('before it, in place of its input, so that variants of an image are made inside', async () => {
    const graph = smallGraph();
    const engine = onnxEngine(17);
    const image = engine.value('image', [1, 3, 4, 4]);
    const masks = engine.value('masks', [5, 1, 4, 4]);
    const masked = engine.run(multiply, { left: image, right: masks }, undefined);
    const bytes = writeModel(graph, {
      outputs: [graph.logits],
      inputs: [
        { name: 'image', shape: [1, 3, 4, 4] },
        { name: 'masks', shape: ['masks', 1, 4, 4] },
      ],
      inputFrom: engine.nameOf(masked),
      nodes: engine.trace.nodes,
      constants: engine.trace.constants,
    });
    const one = images.data.slice(0, 48);
    const { results, inputs } = await run(bytes, {
      image: new Tensor('float32', one, [1, 3, 4, 4]),
      masks: new Tensor(
        'float32',
        Float32Array.from({ length: 80 }, (_, at) => Math.floor(at / 16)),
        [5, 1, 4, 4],
      ),
    });
    expect(inputs).toEqual(['image', 'masks']);
    const plain = await run(writeModel(graph, { outputs: ['logits'] }), {
      input: new Tensor('float32', one, [1, 3, 4, 4]),
    });
    const tripled = numbersOf(plain.results.logits).map((value) => 3 * value);
    expect(largestDifference(numbersOf(results.logits).slice(6, 8), tripled)).toBeLessThan(1e-5);
  });
});

test('traced nodes alone are a model', async () => {
  const engine = onnxEngine(13);
  const product = engine.run(
    multiply,
    { left: engine.value('x', [2]), right: engine.upload(tensor([3, 4], [2])) },
    undefined,
  );
  const name = engine.nameOf(product);
  const { results } = await run(writeTrace(engine.trace, [{ name: 'x', shape: ['n'] }], [name]), {
    x: new Tensor('float32', Float32Array.of(5, 6), [2]),
  });
  expect(numbersOf(results[name])).toEqual([15, 24]);
});

test('lengths that mean "to the end" survive, though no number here is as large', () => {
  const net = new ModelBuilder({ opset: 13, input: { dims: ['batch', 3, 4, 4] } });
  const toEnd = net.initialiser({ dims: [1n], dataType: 7, int64Data: [2n ** 63n - 1n] });
  const cut = net.node('Slice', [net.input, net.integers([1]), toEnd, net.integers([1])]);
  const bytes = net.output(net.node('Flatten', [net.node('GlobalAveragePool', [cut])])).bytes();
  const graph = readModel(bytes);
  expect(graph.shapes.get(graph.logits)).toEqual([1, 2]);
  expect(readModel(writeModel(graph, { outputs: [graph.logits] }))).toEqual(graph);
});

function numbersOf(result: Tensor): readonly number[] {
  return Array.from(result.data as Float32Array); // every output here is float32
}

function readBack(bytes: Uint8Array) {
  const { graph } = parseModel(bytes);
  return { nodes: graph.node.map(({ opType }) => opType), constants: graph.initializer.length };
}
