import { describe, expect, test } from 'vitest';
import {
  add,
  averagePool,
  averagePoolBackward,
  conv2d,
  conv2dTranspose,
  matmul,
  maxPool,
  maxPoolBackward,
  minMax,
  multiply,
  positivePart,
  type ResizeConvention,
  softmax,
  type Tensor,
  tensor,
  upsampleBilinear,
  zeros,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { goldenSet } from './support/golden.ts';
import { run } from './support/run.ts';

// Reference loops against PyTorch (and OpenCV), both in float32: sums differ in their last bits, no more.
const tolerance = 1e-11;
const golden = goldenSet('kernels');
const names = golden.arrays.map(({ name }) => name).filter((name) => golden.array(name));

describe.each(casesOf(/^(conv\d+)\/x$/))('%s', (name) => {
  const { stride, padding, dilation, groups } = paramsOf<Record<'stride' | 'padding' | 'dilation' | 'groups', number>>(
    `${name}/x`,
  );
  const pads = [padding, padding, padding, padding] as const;
  const options = { strides: [stride, stride], pads, dilations: [dilation, dilation], groups } as const;
  const [input, weights] = [read(`${name}/x`), read(`${name}/w`)];

  test('the convolution is PyTorch’s', () => {
    const bias = golden.array(`${name}/b`) ?? zeros(weights.shape[0]);
    expectEqual(run(conv2d, { input, weights, bias }, options), read(`${name}/y`));
  });

  test('the gradient of its input is PyTorch’s', () => {
    const outputSize = [input.shape[2], input.shape[3]] as const;
    const back = run(conv2dTranspose, { input: read(`${name}/gy`), weights }, { ...options, outputSize });
    expectEqual(back, read(`${name}/gx`));
  });
});

describe.each(casesOf(/^(maxpool\d+)\/x$/))('%s', (name) => {
  const { kernel, stride, padding } = paramsOf<Record<'kernel' | 'stride' | 'padding', number>>(`${name}/x`);
  const pads = [padding, padding, padding, padding] as const;
  const window = {
    kernel: [kernel, kernel],
    strides: [stride, stride],
    pads,
    dilations: [1, 1],
    ceilMode: false,
  } as const;
  const input = read(`${name}/x`);

  test('the maxima and the gradient, ties included, are PyTorch’s', () => {
    const output = run(maxPool, { input }, window);
    expect(output).toEqual(read(`${name}/y`));
    expectEqual(run(maxPoolBackward, { gradient: read(`${name}/gy`), input, output }, window), read(`${name}/gx`));
  });
});

test('global average pooling and its gradient are PyTorch’s', () => {
  const input = read('avgpool/x');
  const inputSize = [input.shape[2], input.shape[3]] as const;
  const whole = {
    kernel: inputSize,
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    ceilMode: false,
    countIncludePad: false,
  } as const;
  expectEqual(run(averagePool, { input }, whole), read('avgpool/y'));
  expectEqual(run(averagePoolBackward, { gradient: read('avgpool/gy') }, { ...whole, inputSize }), read('avgpool/gx'));
});

test('batch normalisation is a product and a sum over channels', () => {
  const input = read('batchnorm/x');
  const { eps } = paramsOf<{ eps: number }>('batchnorm/y');
  const channels = input.shape[1];
  const [weight, bias, mean, variance] = [0, 1, 2, 3].map((row) =>
    read('batchnorm/params').data.subarray(row * channels),
  );
  const scale = Array.from({ length: channels }, (_, c) => weight[c] / Math.sqrt(variance[c] + eps));
  const shift = scale.map((factor, c) => bias[c] - factor * mean[c]);
  const scaled = run(multiply, { left: input, right: tensor(scale, [channels, 1, 1]) }, undefined);
  const right = tensor(shift, [channels, 1, 1]);
  expectEqual(run(add, { left: scaled, right }, undefined), read('batchnorm/y'));
});

test('a linear layer is a product with the transposed weights and a sum', () => {
  const left = run(matmul, { left: read('linear/x'), right: read('linear/w') }, { transposeRight: true });
  expectEqual(run(add, { left, right: read('linear/b') }, undefined), read('linear/y'));
});

describe.each(casesOf(/^(upsample\w+\/(?:align_corners|cv2)\w+)$/))('%s', (name) => {
  test('the resized map is PyTorch’s or OpenCV’s', () => {
    const input = read(`${name.split('/')[0]}/x`);
    const expected = read(name);
    const convention: ResizeConvention = name.includes('align_corners_true') ? 'corner-aligned' : 'half-pixel';
    const { to } = paramsOf<{ to?: number }>(name);
    const size = to ? ([to, to] as const) : ([expected.shape[2], expected.shape[3]] as const);
    const resized = run(upsampleBilinear, { input }, { size, convention });
    // their positions are float32: up to 224 · 2⁻²⁴ pixels off, so 1e-5 of the map's slope
    expect(normalisedError(kept(name, resized).data, expected.data)).toBeLessThan(1e-9);
  });
});

describe.each(casesOf(/^minmax\/(\w+)\/x$/))('min-max of the map "%s"', (name) => {
  const input = read(`minmax/${name}/x`);
  const rectified = run(positivePart, { input }, undefined);

  test.each([
    ['pytorch_grad_cam', input, 1e-7],
    ['relu_pytorch_grad_cam', rectified, 1e-7],
    ['relevance_cam', input, 0],
  ] as const)('is that of %s, but 0 where theirs is NaN', (peer, map, epsilon) => {
    const expected = read(`minmax/${name}/${peer}`);
    const theirs = { ...expected, data: expected.data.map((value) => (Number.isNaN(value) ? 0 : value)) };
    expectEqual(run(minMax, { input: map }, { epsilon }), theirs);
  });
});

test.each(casesOf(/^softmax\/(\w+)\/x$/))('softmax of "%s" is PyTorch’s', (name) => {
  expectEqual(run(softmax, { input: read(`softmax/${name}/x`) }, undefined), read(`softmax/${name}/y`));
});

function casesOf(pattern: RegExp): string[] {
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

function read(name: string): Tensor {
  const array = golden.array(name);
  if (!array) throw new Error(`The golden set has no array ${name}.`);
  return array;
}

function paramsOf<T>(name: string): T {
  return golden.arrays.find((array) => array.name === name)!.params as T; // as the set's manifest describes them
}

function expectEqual(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(normalisedError(actual.data, expected.data)).toBeLessThan(tolerance);
}

/** The part of a resized map that the set stores: every seventh row and column, some rows, or all. */
function kept(name: string, map: Tensor): Tensor {
  const [height, width] = map.shape.slice(-2);
  const every = (length: number) => Array.from({ length: Math.ceil(length / 7) }, (_, index) => 7 * index);
  const all = Array.from({ length: width }, (_, index) => index);
  if (name.endsWith('_s7')) return pick(map, every(height), every(width));
  if (name.endsWith('_rows')) return pick(map, [0, 1, 15, 16, 17, 111, 112, 222, 223], all);
  return map;
}

function pick(map: Tensor, rows: readonly number[], columns: readonly number[]): Tensor {
  const width = map.shape[1];
  const data = rows.flatMap((row) => columns.map((column) => map.data[row * width + column]));
  return tensor(data, [rows.length, columns.length]);
}
