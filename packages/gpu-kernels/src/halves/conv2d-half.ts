import {
  type Conv2dLastInput,
  type Conv2dLastOptions,
  type Conv2dLastUniform,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
} from '../channels-last/conv2d-last-plan.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { halfProgram } from './conv2d-half-program.ts';
import { doubledShape, fromHalves, HALF_ROUNDING, halvedShape, requireHalves, toHalves, writeHalves } from './half.ts';

/** Pixels and channels that a workgroup of `conv2dHalf` computes, whichever program it is. */
const TILE = 64;

/**
 * `conv2dLast` with halves in memory and sums in float32: half the bytes, and matrix units where the device has them.
 *
 *     input N×H×W×I₄/2 words, weights (h·w·I₄)×O₄/2 words from `packFiltersHalf`, bias O₄, residual …×O₄/2 words or O₄/2 words
 *       →  N×rows×columns×O₄/2 words
 *
 * Results beyond what a half can hold (65504) become that number.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const conv2dHalf: Kernel<Conv2dLastInput, Conv2dLastUniform, Omit<Conv2dLastOptions, 'back'>> = {
  name: 'conv2dHalf',
  inputs: ['input', 'weights', 'bias', 'residual'],
  halves: ['input', 'weights', 'residual', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: conv2dLastUniforms,
  plan({ input, weights, bias, residual }, options) {
    requireHalves('conv2dHalf', 'an input', input);
    const numbers = {
      input: doubledShape(input),
      weights: doubledShape(weights),
      bias,
      residual: doubledShape(residual),
    };
    const plan = planConv2dLast(
      'conv2dHalf',
      numbers,
      options,
      (pixels, quads) => Math.ceil(pixels / TILE) * Math.ceil((4 * quads) / TILE),
    );
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: rowsOfConv2dLast,
  reference({ input, weights, bias, residual }, u, output) {
    const sums = new Float32Array(2 * output.length);
    const numbers = {
      input: fromHalves(input),
      weights: fromHalves(weights),
      bias,
      residual: fromHalves(residual),
    };
    referenceConv2dLast(numbers, u, sums);
    writeHalves(
      sums.map((value) => Math.min(Math.max(value, -65504), 65504)),
      output,
    );
  },
  wgsl: [{ features: [], code: halfProgram, constants: { across: 8, down: 8 } }],
  samples: (random) => [
    [
      {
        input: toHalves(uniformTensor(random, [2, 7, 6, 8])),
        weights: toHalves(uniformTensor(random, [72, 12])),
        bias: uniformTensor(random, [12]),
        residual: toHalves(uniformTensor(random, [2, 4, 3, 12])),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true },
    ],
    [
      {
        input: toHalves(uniformTensor(random, [3, 5, 7, 20])),
        weights: toHalves(uniformTensor(random, [20, 8])),
        bias: uniformTensor(random, [8]),
        residual: toHalves(uniformTensor(random, [8])),
      },
      { kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
    ],
  ],
};
