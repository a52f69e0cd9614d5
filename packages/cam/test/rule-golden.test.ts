import { compute, conv2d, type Tensor, tensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import { type RuleName, rules } from '../src/index.ts';
import { largestDifference, relativeDifference } from './support/compare.ts';
import { passBack } from './support/single-step.ts';

// Rules on single layers, held to the numbers of zennit and of Relevance-CAM's authors.
const golden = goldenSet('kernels');

const convolutions = golden.arrays
  .filter(({ name }) => /^lrp\/(conv|linear).*\/x$/.test(name))
  .map(({ name }) => name.slice(0, -2));
const zennit: readonly [what: string, rule: RuleName][] = [
  ['zplus', 'epsilonPlus'],
  ['alpha1beta0', 'epsilonPlus'],
  ['alpha2beta1', 'alphaBeta'],
  ['epsilon1e-6', 'epsilon'],
];

describe.each(convolutions)('%s', (name) => {
  test.each(zennit)('zennit’s %s is the convolution rule of %s', (what, rule) => {
    const expected = golden.array(`${name}/${what}`)!;
    const node = asConvolution(name);
    const [passed] = passBack(rule, node);
    // The ε rule divides by a signed sum: where that nearly cancels, its rounding in float32 is all there is to compare.
    const tolerance = rule === 'epsilon' ? Math.max(1e-5, 2 ** -23 * cancellation(node)) : 1e-5;
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(tolerance);
  });
});

describe('Relevance-CAM, layer by layer', () => {
  test.each(['conv3x3', 'conv1x1s2'])('%s shares by z⁺', (layer) => {
    const [x, w, arrived, expected] = recorded(`relevance_cam/${layer}`, 'x', 'w', 'R', 'relprop');
    const stride = x.shape[2] / arrived.shape[2];
    const pad = (w.shape[2] - 1) / 2;
    const attributes = { strides: { ints: [stride, stride] }, pads: { ints: [pad, pad, pad, pad] } };
    const [passed] = passBack('zPlus', { op: 'Conv', inputs: [x, w], constants: [1], arrived, attributes });
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(1e-5);
  });

  test('a dense layer shares by z⁺ and leaves its bias out', () => {
    const [x, w, arrived, bias, expected] = recorded('relevance_cam/linear', 'x', 'w', 'R', 'b', 'relprop');
    const attributes = { transB: { int: 1 } };
    const [passed] = passBack('zPlus', { op: 'Gemm', inputs: [x, w, bias], constants: [1, 2], arrived, attributes });
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(1e-5);
  });

  test('batch normalisation passes relevance on where its input is not 0', () => {
    const [x, params, arrived, expected] = recorded('relevance_cam/batchnorm', 'x', 'params', 'R', 'relprop');
    const channels = params.shape[1];
    const vectors = [0, 1, 2, 3].map((row) =>
      tensor(params.data.slice(row * channels, (row + 1) * channels), [channels]),
    );
    const [passed] = passBack('zPlus', {
      op: 'BatchNormalization',
      inputs: [x, ...vectors],
      constants: [1, 2, 3, 4],
      arrived,
    });
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(1e-5);
  });

  test('an addition shares in proportion to its signed summands', () => {
    const [left, right, arrived, forLeft, forRight] = recorded(
      'relevance_cam/add',
      'x1',
      'x2',
      'R',
      'relprop1',
      'relprop2',
    );
    const output = tensor(
      left.data.map((value, index) => value + right.data[index]),
      left.shape,
    );
    const passed = passBack('zPlus', { op: 'Add', inputs: [left, right], constants: [], output, arrived });
    expect(relativeDifference(passed[0]!.data, forLeft.data)).toBeLessThan(1e-5);
    expect(relativeDifference(passed[1]!.data, forRight.data)).toBeLessThan(1e-5);
  });

  test('a global mean shares in proportion to its positive inputs', () => {
    const [x, arrived, expected] = recorded('relevance_cam/avgpool', 'x', 'R', 'relprop');
    const [passed] = passBack('zPlus', {
      op: 'GlobalAveragePool',
      inputs: [x],
      constants: [],
      output: means(x),
      arrived,
    });
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(1e-5);
  });

  test('the walk starts from 1 at the target and −1/N at the others', () => {
    const [expected] = recorded('relevance_cam/clrp', 'R');
    const target = expected.data.indexOf(1);
    expect(largestDifference(rules.zPlus.start(expected.shape[1], target), expected.data)).toBeLessThan(1e-7);
  });
});

describe('zennit’s Norm', () => {
  test('shares a sum in proportion to its summands', () => {
    const [pair, arrived, expected] = recorded('lrp/sum', 'x', 'R', 'norm');
    const [left, right] = [0, 1].map((side) =>
      tensor(
        pair.data.filter((_, index) => index % 2 === side),
        arrived.shape,
      ),
    );
    const output = tensor(
      left.data.map((value, index) => value + right.data[index]),
      left.shape,
    );
    const passed = passBack('epsilon', { op: 'Add', inputs: [left, right], constants: [], output, arrived });
    for (const side of [0, 1]) {
      const wanted = expected.data.filter((_, index) => index % 2 === side);
      expect(relativeDifference(passed[side]!.data, wanted)).toBeLessThan(1e-5);
    }
  });

  test('shares a mean in proportion to its inputs', () => {
    const [x, arrived, expected] = recorded('lrp/avgpool', 'x', 'R', 'norm');
    const [passed] = passBack('epsilon', {
      op: 'GlobalAveragePool',
      inputs: [x],
      constants: [],
      output: means(x),
      arrived,
    });
    expect(relativeDifference(passed!.data, expected.data)).toBeLessThan(1e-5);
  });
});

function recorded(prefix: string, ...parts: string[]): Tensor[] {
  return parts.map((part) => {
    const array = golden.array(`${prefix}/${part}`);
    if (!array) throw new Error(`The golden set lacks ${prefix}/${part}.`);
    return array;
  });
}

/** How much larger the summands of an output are together than their signed sum, at worst. */
function cancellation({ inputs: [x, w, bias], output, options }: ReturnType<typeof asConvolution>): number {
  const [input, weights, b] = [x, w, bias ?? zeros(w.shape[0])].map((t) => tensor(t.data.map(Math.abs), t.shape));
  const total = compute(conv2d, { input, weights, bias: b }, options);
  return total.data.reduce((worst, sum, index) => Math.max(worst, sum / Math.abs(output.data[index])), 1);
}

/** The recorded layer as a convolution; a dense layer is one of 1×1 on a map of one place. */
function asConvolution(name: string) {
  const [x, w, arrived] = recorded(name, 'x', 'w', 'R');
  const dense = x.shape.length === 2;
  const spatial = (t: Tensor): Tensor => (dense ? tensor(t.data, [...t.shape, 1, 1]) : t);
  const { stride, padding } = golden.arrays.find((array) => array.name === `${name}/x`)!.params as {
    stride: [number, number] | null;
    padding: [number, number] | null;
  };
  const bias = golden.array(`${name}/b`);
  const [padY, padX] = padding ?? [0, 0];
  const attributes = { strides: { ints: stride ?? [1, 1] }, pads: { ints: [padY, padX, padY, padX] } };
  const inputs = [spatial(x), spatial(w), ...(bias ? [bias] : [])];
  const options = {
    strides: stride ?? ([1, 1] as const),
    pads: [padY, padX, padY, padX] as const,
    dilations: [1, 1] as const,
    groups: 1,
  };
  const output = compute(conv2d, { input: inputs[0], weights: inputs[1], bias: bias ?? zeros(w.shape[0]) }, options);
  return { op: 'Conv', inputs, constants: [1, 2], arrived: spatial(arrived), attributes, output, options };
}

function means(x: Tensor): Tensor {
  const [count, channels, height, width] = x.shape;
  const area = height * width;
  const data = Float32Array.from({ length: count * channels }, (_, index) => {
    const values = x.data.subarray(index * area, (index + 1) * area);
    return values.reduce((sum, value) => sum + value, 0) / area;
  });
  return tensor(data, [count, channels, 1, 1]);
}
