import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matrixConvolution } from '../src/halves/conv2d-matrix.ts';
import { inPairs } from '../src/halves/conv2d-pairs.ts';
import type { MatrixTile, MatrixUnit } from '../src/halves/matrix-units.ts';
import { packFiltersHalf } from '../src/halves/pack-filters-half.ts';
import {
  type Conv2dLastOptions,
  compute,
  conv2dHalf,
  type MatrixConvolution,
  numpyRandom,
  toHalves,
  uniformTensor,
} from '../src/index.ts';
import { placeWindows } from '../src/kernels/window.ts';
import { errorOf, referenceOf } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';
import { emulatedProgram } from './support/emulated-matrices.ts';
import { expectGuardedRuns } from './support/guarded-agreement.ts';

const unit: MatrixUnit = { component: 'f16', M: 16, N: 16, K: 16 };
const tile: MatrixTile = { pixels: 32, channels: 32, across: 2, down: 2, deep: 32, chunk: 8 };
const program = matrixConvolution(unit, tile, { lanes: 32, held: false });

interface Drawn {
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly filters: number;
  readonly options: Conv2dLastOptions;
  readonly seed: number;
}

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    size: fc.tuple(
      upTo(9),
      upTo(7).map((half) => 2 * half),
    ),
    channels: upTo(4),
    filters: upTo(40),
    options: fc.record({
      kernel: fc.tuple(upTo(3), upTo(8)),
      strides: fc.tuple(upTo(3), fc.constant(2)),
      pads: fc.tuple(upTo(3, 0), upTo(5, 0), upTo(3, 0), upTo(5, 0)),
      dilations: fc.tuple(upTo(2), fc.constant(1)),
      relu: fc.boolean(),
    }),
    seed: fc.nat(),
  })
  .filter(({ size, options: { kernel, pads, dilations } }) => {
    const extents = kernel.map((length, axis) => dilations[axis] * (length - 1) + 1);
    return extents.every((extent, axis) => extent <= size[axis] + pads[axis] + pads[axis + 2]);
  });

/** Tensors of a convolution, weights as filters × channels × window. */
function tensorsOf({ size, channels, filters, options, seed }: Drawn) {
  const random = numpyRandom(seed);
  const padded = 4 * Math.ceil(filters / 4);
  const windows = placeWindows('test', size, options).size;
  return {
    input: toHalves(uniformTensor(random, [2, ...size, 4])),
    weights: uniformTensor(random, [filters, channels, ...options.kernel]),
    bias: uniformTensor(random, [padded]),
    residual: toHalves(uniformTensor(random, [2, ...windows, padded])),
  };
}

/** The same as a program in pairs takes them. */
function pairedRun(asked: Drawn) {
  const { weights, ...inputs } = tensorsOf(asked);
  const { filters } = forPads(asked.options);
  return { inputs: { ...inputs, weights: compute(filters!, { weights }, undefined) }, options: asked.options };
}

const odd = inPairs(program, true);
const even = inPairs(program, false);
const forPads = ({ pads }: Conv2dLastOptions) => (pads[1] % 2 === 1 ? odd : even);
const stem = { kernel: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3], dilations: [1, 1] } as const;

describe('a convolution of four channels, two pixels at a time', () => {
  test('is the convolution itself', () => {
    fc.assert(
      fc.property(drawn, (asked) => {
        const { options } = asked;
        const { inputs } = pairedRun(asked);
        const { weights, ...same } = tensorsOf(asked);
        const expected = referenceOf(
          conv2dHalf,
          { ...same, weights: compute(packFiltersHalf, { weights }, undefined) },
          options,
        );
        const actual = referenceOf(forPads(options), inputs, options);
        expect(actual.shape).toEqual(expected.shape);
        expect(errorOf(conv2dHalf, actual, expected)).toBeLessThan(conv2dHalf.tolerance!);
      }),
      { seed: 23, numRuns: 200 },
    );
  });

  test('has the program that it is made of, on images half as wide', () => {
    const { uniforms, output } = odd.plan(
      { input: [1, 224, 224, 2], weights: [64, 112], bias: [64], residual: [32] },
      stem,
    );
    expect(output).toEqual([1, 112, 112, 32]);
    expect(uniforms).toMatchObject({
      width: 112,
      quadsIn: 2,
      kernelWidth: 4,
      strideY: 2,
      strideX: 1,
      padTop: 3,
      padLeft: 2,
    });
    expect(odd.wgsl).toBe(program.wgsl);
  });

  test('takes four channels of an even width, steps of two columns, and padding that is odd or even', () => {
    const asked = { pixels: 112 * 112, depth: 7 * 7 * 4, channels: 64, options: stem, width: 224 };
    expect(odd.suits?.(asked)).toBe(true);
    expect(even.suits?.({ ...asked, options: { ...stem, pads: [2, 2, 3, 3] } })).toBe(true);
    for (const other of [
      { width: 225 },
      { width: undefined },
      { depth: 7 * 7 * 8 },
      { options: { ...stem, strides: [2, 1] as const } },
      { options: { ...stem, dilations: [1, 2] as const } },
      { options: { ...stem, pads: [3, 2, 3, 3] as const } },
    ]) {
      expect(odd.suits?.({ ...asked, ...other })).toBe(false);
    }
    const shapes = { input: [1, 224, 225, 2], weights: [64, 112], bias: [64], residual: [32] };
    expect(() => odd.plan(shapes, stem)).toThrow(
      /expected four channels, an even width and steps of two columns with odd padding.*got 4 channels, width 225.*use conv2dHalf/,
    );
  });
});

describeGpu('convolutions of four channels, two pixels at a time, with matrices that are emulated', ({ open }) => {
  const shared = sharedDevice(() => open({ robustness: false })); // indices past the end of a tensor reach the guards

  test.each([
    ['odd', odd],
    ['even', even],
  ])('compute what the reference loops do, with %s padding', async (_, paired) => {
    const emulated: MatrixConvolution = { ...paired, wgsl: emulatedProgram(unit, tile) };
    const runs = drawn.filter(({ options }) => forPads(options) === paired).map(pairedRun);
    await expectGuardedRuns(shared.device, emulated, runs);
  });
});
