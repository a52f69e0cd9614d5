import { zeros } from '@cambium/gpu-kernels';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { ModelError } from '../src/errors.ts';
import { readModel } from '../src/onnx/read.ts';
import { resolvePads } from '../src/onnx/shapes.ts';
import { type Literal, ModelBuilder } from './support/build-model.ts';
import { runBytes } from './support/run-model.ts';

// A network of one node of interest; the mean and the product behind it make it a classifier.
interface OneNode {
  readonly opset: number;
  readonly make: (net: ModelBuilder) => string;
}

const pooling = fc.record({
  op: fc.constantFrom('MaxPool', 'AveragePool'),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  begin: fc.integer({ min: 0, max: 1 }),
  end: fc.integer({ min: 0, max: 1 }),
  ceil: fc.constantFrom(0, 1),
  dilation: fc.integer({ min: 1, max: 2 }),
  autoPad: fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
});

test('pooled shapes are those of ONNX Runtime, for any window, padding and rounding', async () => {
  await fc.assert(
    fc.asyncProperty(pooling, async (window) => {
      const attributes: { [name: string]: Literal } = {
        kernel_shape: [window.kernel, window.kernel],
        strides: [window.stride, window.stride],
        dilations: window.autoPad === 'NOTSET' ? [window.dilation, 1] : [1, 1],
        ...(window.autoPad === 'NOTSET' ? { ceil_mode: window.ceil } : { auto_pad: window.autoPad }),
      };
      const pads = [window.begin, 0, window.end, 1].map((length) => (window.kernel > 1 ? length : 0));
      if (window.autoPad === 'NOTSET') attributes.pads = pads;
      await expectSameShape({ opset: 19, make: (net) => net.node(window.op, [net.input], attributes) });
    }),
    { numRuns: 120, seed: 1 },
  );
});

const convolution = fc.record({
  op: fc.constantFrom('Conv', 'ConvTranspose'),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  pads: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
  autoPad: fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
});

test('convolved shapes are those of ONNX Runtime, for any window and padding', async () => {
  await fc.assert(
    fc.asyncProperty(convolution, async ({ op, kernel, strides, dilations, pads, autoPad }) => {
      const padding: { [name: string]: Literal } = autoPad === 'NOTSET' ? { pads } : { auto_pad: autoPad };
      const attributes = { kernel_shape: kernel, strides, dilations, ...padding };
      await expectSameShape({
        opset: 17,
        make: (net) => net.node(op, [net.input, net.weights([3, 3, ...kernel])], attributes),
      });
    }),
    { numRuns: 120, seed: 2 },
  );
});

const singles: readonly (readonly [string, OneNode])[] = [
  ['Transpose without order', { opset: 17, make: (net) => net.node('Transpose', [net.input]) }],
  ['Unsqueeze at the end', { opset: 13, make: (net) => net.node('Unsqueeze', [net.input, net.integers([-1, 1])]) }],
  ['ReduceMax without axes', { opset: 13, make: (net) => net.node('ReduceMax', [net.input]) }],
  [
    'ReduceL2 over axes',
    { opset: 13, make: (net) => net.node('ReduceL2', [net.input], { axes: [1, -1], keepdims: 0 }) },
  ],
  [
    'ReduceSum with nothing to do',
    { opset: 13, make: (net) => net.node('ReduceSum', [net.input], { noop_with_empty_axes: 1 }) },
  ],
  ['Split into unequal parts', { opset: 18, make: (net) => split(net, { num_outputs: 3, axis: 2 }, ['a', 'b', 'c']) }],
  ['Slice backwards', { opset: 13, make: (net) => slice(net, [-1, 6], [-100, 1], [2, 3], [-1, -2]) }],
  ['Slice to the end', { opset: 13, make: (net) => slice(net, [1, -3], [2 ** 62, 2 ** 62], [1, 3], [1, 1]) }],
  [
    'Pad along named axes',
    { opset: 18, make: (net) => net.node('Pad', [net.input, net.integers([1, 2, 0, -1]), '', net.integers([2, -1])]) },
  ],
  [
    'Resize by scales',
    { opset: 13, make: (net) => net.node('Resize', [net.input, '', net.floats([1, 1, 1.5, 0.4])], {}) },
  ],
  [
    'Resize along named axes',
    { opset: 18, make: (net) => net.node('Resize', [net.input, '', '', net.integers([5, 9])], { axes: [2, 3] }) },
  ],
  [
    'Upsample by attribute',
    { opset: 7, make: (net) => net.node('Upsample', [net.input], { scales: { floats: [1, 1, 2, 3] } }) },
  ],
  ['Upsample by input', { opset: 9, make: (net) => net.node('Upsample', [net.input, net.floats([1, 1, 2, 3])], {}) }],
  ['Expand', { opset: 13, make: (net) => net.node('Expand', [net.input, net.integers([4, 1, 1, 1, 1])]) }],
  ['Tile', { opset: 13, make: (net) => net.node('Tile', [net.input, net.integers([1, 2, 1, 3])]) }],
  [
    'Gather with a matrix',
    { opset: 13, make: (net) => net.node('Gather', [net.input, net.integers([0, 1, 2, 1], [2, 2])], { axis: -1 }) },
  ],
  ['MatMul with a vector', { opset: 13, make: (net) => net.node('MatMul', [net.input, net.weights([8])]) }],
  [
    'MatMul that broadcasts',
    { opset: 13, make: (net) => net.node('MatMul', [net.input, net.weights([2, 1, 3, 8, 4])]) },
  ],
  [
    'Where that broadcasts',
    {
      opset: 13,
      make: (net) => net.node('Where', [net.integers([1, 0, 1], [3, 1, 1], 'bool'), net.input, net.weights([8])]),
    },
  ],
  [
    'ArgMax',
    {
      opset: 13,
      make: (net) => net.node('Cast', [net.node('ArgMax', [net.input], { axis: 1, keepdims: 0 })], { to: 1 }),
    },
  ],
  ['SpaceToDepth', { opset: 13, make: (net) => net.node('SpaceToDepth', [net.input], { blocksize: 2 }) }],
  ['LRN', { opset: 13, make: (net) => net.node('LRN', [net.input], { size: 3 }) }],
  ['LayerNormalization', { opset: 17, make: (net) => net.node('LayerNormalization', [net.input, net.weights([8])]) }],
  ['PRelu', { opset: 13, make: (net) => net.node('PRelu', [net.input, net.weights([3, 1, 1])]) }],
  ['LpPool', { opset: 18, make: (net) => net.node('LpPool', [net.input], { kernel_shape: [2, 2], strides: [2, 2] }) }],
  [
    'ConvTranspose to a given size',
    {
      opset: 13,
      make: (net) =>
        net.node('ConvTranspose', [net.input, net.weights([3, 2, 3, 3])], { strides: [2, 2], output_shape: [16, 17] }),
    },
  ],
];

test.each(singles)('%s has the shape that ONNX Runtime gives it', (_, node) => expectSameShape(node));

test('padding SAME puts the odd pixel at the end or, for LOWER, at the begin', () => {
  const same = (mode: string) => ({ auto_pad: { string: mode } });
  // 8 wide, stride 2 → 4 windows that reach 2·3 + 3 = 9, so 1 is missing; 7 wide: 4 windows reach 9, 2 are missing.
  expect(resolvePads(same('SAME_UPPER'), [8, 7], [3, 3], [2, 2])).toEqual([0, 1, 1, 1]);
  expect(resolvePads(same('SAME_LOWER'), [8, 7], [3, 3], [2, 2])).toEqual([1, 1, 0, 1]);
  expect(resolvePads(same('VALID'), [8, 7], [3, 3], [2, 2])).toEqual([0, 0, 0, 0]);
  expect(resolvePads({ pads: { ints: [1, 2, 3, 4] } }, [8, 7], [3, 3])).toEqual([1, 2, 3, 4]);
  expect(resolvePads({}, [8, 7], [3, 3])).toEqual([0, 0, 0, 0]);
});

/** Compares the shape that reading infers with the one that ONNX Runtime computes, where it accepts the node at all. */
async function expectSameShape(node: OneNode): Promise<void> {
  const net = new ModelBuilder({ opset: node.opset, input: { dims: [1, 3, 8, 8] } });
  const value = node.make(net);
  const alone = net.output(value).bytes();
  const feed = zeros(1, 3, 8, 8);
  const run = runBytes(alone, new Tensor('float32', feed.data, [1, 3, 8, 8]));
  const theirs = await run.then(
    ({ dims }) => dims,
    () => undefined,
  );
  if (theirs) expect(inferred(node)).toEqual(theirs);
}

function inferred({ opset, make }: OneNode): readonly number[] | undefined {
  const net = new ModelBuilder({ opset, input: { dims: [1, 3, 8, 8] } });
  const value = make(net);
  const total = net.node('Reshape', [net.node('ReduceSumSquare', [value]), net.integers([1, 1])]);
  try {
    const { shapes } = readModel(net.output(total).bytes());
    return shapes.get(value)?.slice();
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

function split(net: ModelBuilder, attributes: { [name: string]: Literal }, outputs: readonly string[]): string {
  return net.node('Split', [net.input], attributes, { outputs });
}

function slice(net: ModelBuilder, ...bounds: readonly (readonly number[])[]): string {
  return net.node('Slice', [net.input, ...bounds.map((list) => net.integers(list))]);
}
