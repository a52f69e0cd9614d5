import {
  type Conv2dLastInput,
  type Conv2dLastOptions,
  type Conv2dLastUniform,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
} from '../channels-last/conv2d-last-plan.ts';
import type { AnyKernel, Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import type { ConvolutionShape } from '../recording/convolution-shape.ts';
import {
  boundedHalves,
  doubledShape,
  fromHalves,
  HALF_ROUNDING,
  halvedShape,
  requireHalves,
  toHalves,
  writeHalves,
} from './half.ts';

/** A program for convolutions in half precision; there is none for the way back. */
export interface Conv2dHalf extends Kernel<Conv2dLastInput, Conv2dLastUniform, Omit<Conv2dLastOptions, 'back'>> {
  /** Lays out the weights that it multiplies with; `packFiltersHalf` unless said. */
  readonly filters?: AnyKernel;
  /** Whether it computes convolutions of this shape; it does any unless said. */
  readonly suits?: (shape: ConvolutionShape) => boolean;
}

/** How many channels a convolution reads, with their padding. */
export function channelsRead({ depth, options: { kernel } }: ConvolutionShape): number {
  return depth / (kernel[0] * kernel[1]);
}

/** What every program for convolutions in half precision has in common. */
export const halfConvolution = {
  inputs: ['input', 'weights', 'bias', 'residual'],
  halves: ['input', 'weights', 'residual', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: conv2dLastUniforms,
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
    writeHalves(boundedHalves(sums), output);
  },
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
} satisfies Partial<Conv2dHalf>;

/**
 * Fits the tensors of a convolution in half precision to each other.
 *
 * @param tile pixels and channels that a workgroup computes
 * @throws ShapeError when they do not fit or no window does
 */
export function planConv2dHalf(
  where: string,
  { input, weights, bias, residual }: Parameters<Conv2dHalf['plan']>[0],
  options: Parameters<Conv2dHalf['plan']>[1],
  tile: { readonly pixels: number; readonly channels: number },
): ReturnType<Conv2dHalf['plan']> {
  requireHalves(where, 'an input', input);
  const numbers = {
    input: doubledShape(input),
    weights: doubledShape(weights),
    bias,
    residual: doubledShape(residual),
  };
  const plan = planConv2dLast(where, numbers, options, {
    workgroups: ({ pixels, quadsOut }) => Math.ceil(pixels / tile.pixels) * Math.ceil((4 * quadsOut) / tile.channels),
  });
  return { ...plan, output: halvedShape(plan.output) };
}
