import { describe, expect, test } from 'vitest';
import {
  type AnyKernel,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  rows,
  type Shape,
  ShapeError,
  sizeOf,
  stack,
} from '../src/index.ts';
import { numbersOf, referenceOf } from './support/agreement.ts';

const wrongLast = [
  { input: [2, 4, 4, 8], weights: [72, 6], bias: [6], residual: [6] },
  { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
] satisfies readonly [{ readonly [input: string]: Shape }, unknown];

/** For every kernel: shapes and options that it must refuse, or null where any shape will do. */
const wrong = {
  add: [{ left: [2, 3], right: [2] }, undefined],
  averagePool: [{ input: [3, 4, 4] }, pool({ countIncludePad: false })],
  averagePoolBackward: [{ gradient: [1, 1, 2, 3] }, pool({ countIncludePad: false, inputSize: [4, 4] })],
  channelMeans: [{ input: [2, 3] }, undefined],
  conv2d: [{ input: [1, 3, 5, 5], weights: [2, 2, 3, 3], bias: [2] }, pool({ groups: 1 })],
  conv2dFused: [{ input: [1, 3, 5, 5], weights: [2, 3, 3, 3], bias: [2], residual: [1, 2, 5, 5] }, pool({ groups: 1 })],
  addHalf: [{ left: [2, 4, 4, 4], right: [2, 4, 4, 2] }, undefined],
  averagePoolHalf: [{ input: [2, 4, 4, 3] }, pool({ countIncludePad: false })],
  depthwiseHalf: [
    { input: [2, 4, 4, 4], weights: [9, 4], bias: [4], residual: [2] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
  ],
  multiplyHalf: [{ left: [2, 4, 4, 3], right: [2, 4, 4, 3] }, undefined],
  rectifyHalf: [{ input: [2, 4, 4, 3] }, { floor: 0, ceiling: 6, slope: 0 }],
  sigmoidHalf: [{ input: [4, 4, 2] }, undefined],
  channelMeansHalf: [{ input: [2, 4, 4, 3] }, undefined],
  channelMeansLast: [{ input: [2, 4, 4, 3] }, undefined],
  conv2dHalf: [
    { input: [2, 4, 4, 4], weights: [72, 3], bias: [6], residual: [3] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
  ],
  maxPoolHalf: [{ input: [2, 4, 4, 3] }, pool({})],
  packFilterPairsEvenHalf: [{ weights: [4, 3, 3] }, undefined],
  packFilterPairsOddHalf: [{ weights: [4, 3, 3] }, undefined],
  packFilterRowsHalf: [{ weights: [4, 3, 3] }, undefined],
  packFiltersHalf: [{ weights: [4, 3, 3] }, undefined],
  packHalf: [{ input: [4, 3, 3] }, undefined],
  unpackHalf: [{ input: [2, 4, 4, 2] }, { channels: 5 }],
  concatAxis: [{ left: [2, 3], right: [3, 3] }, { axis: 1 }],
  conv2dLast: wrongLast,
  conv2dLastDirect: wrongLast,
  maxPoolLast: [{ input: [2, 4, 4, 3] }, pool({})],
  packDepthwise: [{ weights: [4, 2, 3, 3] }, { direction: 'forward' }],
  groupedHalf: [
    { input: [2, 4, 4, 8], weights: [72, 6], bias: [12], residual: [6] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 2 },
  ],
  groupedLast: [
    { input: [2, 4, 4, 16], weights: [144, 8], bias: [8], residual: [8] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 2 },
  ],
  depthwiseLast: [
    { input: [2, 4, 4, 8], weights: [9, 4], bias: [4], residual: [4] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
  ],
  averagePoolLast: [{ input: [2, 4, 4, 3] }, pool({ countIncludePad: false })],
  packFilters: [{ weights: [4, 3, 3] }, { direction: 'forward' }],
  packFiltersWinograd: [{ weights: [4, 3, 3, 2] }, { direction: 'forward' }],
  conv2dWinograd: [
    { input: [2, 4, 4, 8], weights: [72, 8], bias: [8], residual: [8] },
    { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
  ],
  packLast: [{ input: [4, 3, 3] }, undefined],
  rectify: null,
  unpackLast: [{ input: [2, 4, 4, 4] }, { channels: 5 }],
  conv2dTranspose: [{ input: [1, 2, 5, 5], weights: [2, 3, 1, 1] }, pool({ groups: 1, outputSize: [9, 9] })],
  divide: [{ left: [2, 3], right: [4, 3] }, undefined],
  fillRegions: [{ image: [1, 3, 4, 5], fill: [1, 3, 4, 5], ranks: [4, 5], steps: [6, 1] }, undefined],
  guardedDivide: [{ numerator: [2, 3], denominator: [3, 2] }, undefined],
  keepNonZero: [{ signal: [1, 1, 1, 1, 2], condition: [2] }, undefined],
  maskImagesHalf: [
    { image: [2, 4, 4, 4], activations: [5, 2, 2] },
    { resize: 'half-pixel', normalise: 'after-resize' },
  ],
  maskImagesLast: [
    { image: [1, 4, 4, 3], activations: [5, 2, 2] },
    { resize: 'half-pixel', normalise: 'after-resize' },
  ],
  maskImages: [
    { image: [2, 3, 4, 4], activations: [5, 2, 2] },
    { resize: 'half-pixel', normalise: 'after-resize' },
  ],
  matmul: [{ left: [2, 3], right: [2, 3] }, {}],
  maxPool: [{ input: [1, 1, 1, 4] }, pool({})],
  maxPoolBackward: [{ gradient: [1, 1, 2, 2], input: [1, 1, 5, 5], output: [1, 1, 2, 3] }, pool({})],
  minMax: [{ input: [4] }, { epsilon: 0 }],
  multiply: [{ left: [2, 3], right: [2] }, undefined],
  negativePart: null,
  positivePart: null,
  rectifierGradient: [
    { gradient: [2, 3], input: [3, 2] },
    { floor: 0, ceiling: 6, slope: 0 },
  ],
  replacePixels: [{ image: [1, 3, 4, 5], fill: [1, 3, 4, 5], ranks: [1, 3, 4, 5], ranges: [6, 1] }, undefined],
  reshape: [{ input: [2, 3] }, { shape: [3, 2] }],
  sigmoid: null,
  padAxis: [{ input: [4, 2] }, { axis: 0, before: 1, after: 2 }],
  sliceAxis: [{ input: [4, 2] }, { axis: 0, start: 0, end: 2 }],
  softmax: [{ input: [2, 3, 4] }, undefined],
  stabilisedDivide: [{ numerator: [2, 3], denominator: [2] }, { epsilon: 1e-6 }],
  subtract: [{ left: [2, 3], right: [2] }, undefined],
  sumAxes: [{ input: [1, 2, 3, 4, 5] }, { axes: [1] }],
  translate: [{ image: [1, 3, 4, 5], fill: [1, 3, 1, 1], shifts: [6, 1] }, undefined],
  transpose: [{ input: [1, 2, 3, 4, 5] }, { axes: [0, 1, 2, 4, 3] }],
  upsampleBilinear: [{ input: [4] }, { size: [2, 2], convention: 'half-pixel' }],
  weightedSum: [{ weights: [2, 3], activations: [2, 4, 5, 5] }, undefined],
} satisfies Record<KernelName, readonly [{ readonly [input: string]: Shape }, unknown] | null>;

/** Kernels whose weights have a 3×3 window by their contract. */
const squareWindow: readonly KernelName[] = ['packFiltersWinograd'];

/** Inputs of image variants one of whose axes has length 1 by their contract. */
const hasAxisOfOne = ['image', 'fill', 'ranks', 'steps', 'shifts'];
const isOneByContract = (name: KernelName, input: string) => hasAxisOfOne.includes(input) || name === 'packDepthwise';

describe.each(Object.keys(kernels) as KernelName[])('%s', (name) => {
  const kernel: AnyKernel = kernels[name];
  const samples = kernel.samples(numpyRandom(11));
  const program = typeof kernel.wgsl === 'string' ? kernel.wgsl : kernel.wgsl.map(({ code }) => code).join('\n');

  test('is registered under its own name, with a WGSL program and, unless it packs halves, an ONNX form', () => {
    expect(kernel.name).toBe(name);
    expect(program).toMatch(/@workgroup_size\((64|256|16, 8|8, 16)\)/);
    expect(kernel.onnx === undefined).toBe(kernel.halves !== undefined);
  });

  test('binds its inputs in order, then the output, then the uniforms', () => {
    const bindings = [...program.matchAll(/@binding\((\d+)\) var<(\w+)/g)].map(([, at, kind]) => [at, kind]);
    const expected = [...kernel.inputs.map(() => 'storage'), 'storage', 'uniform'].map((kind, at) => [
      String(at),
      kind,
    ]);
    expect(bindings).toEqual(expected);
  });

  test('names its uniforms in WGSL as in the plan, in the same order and types', () => {
    const body = /struct Uniforms \{([^}]*)\}/.exec(program)?.[1] ?? '';
    const fields = [...body.replace(/\/\/.*/g, '').matchAll(/(\w+): (u32|f32)/g)].map(([, field, type]) => [
      field,
      type,
    ]);
    expect(fields).toEqual(Object.entries(kernel.uniforms));
    const plan = kernel.plan(shapesOf(samples[0][0]), samples[0][1]);
    expect(Object.keys(plan.uniforms).sort()).toEqual(Object.keys(kernel.uniforms).sort());
  });

  test('writes every element of its output', () => {
    for (const [inputs, options] of samples) {
      const output = referenceOf(kernel, inputs, options); // starts as NaN
      expect(output.data.length).toBe(sizeOf(output.shape));
      expect(numbersOf(kernel, output).every(Number.isFinite)).toBe(true);
    }
  });

  test('has a sample whose axes are longer than one and unequal, where they are free', () => {
    const isFree = ([inputs]: (typeof samples)[number]) =>
      kernel.inputs.every((input: string) => {
        const free = squareWindow.includes(name) ? inputs[input].shape.slice(0, 2) : inputs[input].shape;
        const lengths = free.filter((length) => length > 1 || !isOneByContract(name, input));
        return lengths.every((length) => length > 1) && new Set(lengths).size === lengths.length;
      });
    expect(samples.some(isFree)).toBe(true);
  });

  test('leaves its inputs as they were', () => {
    for (const [inputs, options] of samples) {
      const before = structuredClone(inputs);
      referenceOf(kernel, inputs, options);
      expect(inputs).toEqual(before);
    }
  });

  test('makes the rows that it says are independent a few at a time', () => {
    for (const [inputs, options] of samples) {
      const split = kernel.rows?.(shapesOf(inputs), options) ?? [];
      if (split.length === 0) continue;
      const whole = referenceOf(kernel, inputs, options);
      const parts = [
        [0, 1],
        [1, whole.shape[0]],
      ].map(([start, end]) =>
        referenceOf(
          kernel,
          mapNamed(kernel.inputs, (input) => (split.includes(input) ? rows(inputs[input], start, end) : inputs[input])),
          options,
        ),
      );
      expect(stack(parts)).toEqual(whole);
    }
  });

  test('plans whole positive uniforms and at least one workgroup', () => {
    for (const [inputs, options] of samples) {
      const { uniforms, workgroups } = kernel.plan(shapesOf(inputs), options);
      expect(workgroups.every((count) => Number.isInteger(count) && count > 0)).toBe(true);
      for (const [field, type] of Object.entries(kernel.uniforms)) {
        const value = uniforms[field];
        expect(type === 'u32' ? Number.isInteger(value) && value >= 0 : Number.isFinite(value), field).toBe(true);
      }
    }
  });
});

const refusing = (Object.keys(wrong) as KernelName[]).flatMap((name) =>
  wrong[name] ? [[name, ...wrong[name]] as const] : [],
);

test.each(refusing)('%s refuses shapes that do not fit', (name, shapes, options) => {
  const kernel: AnyKernel = kernels[name];
  expect(() => kernel.plan(shapes, options)).toThrow(ShapeError);
  expect(() => kernel.plan(shapes, options)).toThrow(new RegExp(`^${name} expected .*, got .*\\.$`));
});

function shapesOf(inputs: { readonly [name: string]: { readonly shape: Shape } }): { [name: string]: Shape } {
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
}

function pool<T extends object>(more: T) {
  return {
    kernel: [2, 2],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    ceilMode: false,
    ...more,
  };
}
