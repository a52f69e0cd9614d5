import { ShapeError } from '../errors.ts';
import type { Kernel, Plan } from '../kernel.ts';
import { requireSame, show } from '../kernels/shapes.ts';
import { type Pair, placeWindows, type WindowOptions } from '../kernels/window.ts';
import { type Random, uniformTensor } from '../random.ts';
import type { Shape } from '../tensor.ts';
import { requireLast } from './layout.ts';
import type { PackFilters } from './pack-filters.ts';

export interface Conv2dLastOptions extends WindowOptions {
  readonly kernel: Pair;
  /** Negative results become 0. */
  readonly relu?: boolean;
  /** The gradient of a convolution with these options with respect to its input, which has this height and width. */
  readonly back?: Pair;
}

/** In quads, that is four channels: depth and width of the packed weights, and what a pixel has. */
export const conv2dLastUniforms = {
  pixels: 'u32',
  height: 'u32',
  width: 'u32',
  quadsIn: 'u32',
  rows: 'u32',
  columns: 'u32',
  quadsOut: 'u32',
  kernelHeight: 'u32',
  kernelWidth: 'u32',
  strideY: 'u32',
  strideX: 'u32',
  padTop: 'u32',
  padLeft: 'u32',
  dilationY: 'u32',
  dilationX: 'u32',
  spreadY: 'u32',
  spreadX: 'u32',
  residualStep: 'u32',
  relu: 'u32',
} as const;

export type Conv2dLastUniform = keyof typeof conv2dLastUniforms;
export type Conv2dLastInput = 'input' | 'weights' | 'bias' | 'residual';
type Shapes = { readonly [name in Conv2dLastInput]: Shape };

/** A program for convolutions with channels last. Which one is fastest depends on the device and on the shape. */
export interface Conv2dLast extends Kernel<Conv2dLastInput, Conv2dLastUniform, Conv2dLastOptions> {
  /** Lays out the weights that it multiplies with; `packFilters` unless said. */
  readonly filters?: PackFilters;
  /** Whether it computes convolutions with these options; it does with any unless said. */
  readonly suits?: (options: Conv2dLastOptions) => boolean;
  /** Whether sums of nothing but zeros are 0, so that a rule may ask whether there is anything to divide by; they are unless said. */
  readonly keepsZeros?: boolean;
}

/**
 * Fits the tensors of a convolution in channels-last layout to each other.
 *
 * The row read for output row y and window row k is (y·stride + k·dilation − pad) / spread, where that is a whole number
 * inside the input: spread is 1 for a convolution; the way back has stride 1, spreads by the convolution's stride, and its
 * window is turned (`packFilters`).
 */
export function planConv2dLast(
  where: string,
  { input, weights, bias, residual }: Shapes,
  options: Conv2dLastOptions,
  program: {
    readonly workgroups: (uniforms: { readonly [name in Conv2dLastUniform]: number }) => number;
    /** Rows of the packed weights; one for each place of the window and channel unless said. */
    readonly depth?: number;
  },
): Plan<Conv2dLastUniform> {
  requireLast(where, 'an input', input);
  const [batch, height, width, channels] = input;
  const { kernel, strides, pads, dilations, relu = false, back } = options;
  const [rows, columns] = back ?? placeWindows(where, [height, width], options).size;
  if (back)
    requireSame(where, 'a size that belongs to the input', [height, width], placeWindows(where, back, options).size);
  const depth = program.depth ?? kernel[0] * kernel[1] * channels;
  if (weights.length !== 2 || weights[0] !== depth || weights[1] % 4 !== 0) {
    throw new ShapeError(where, `packed weights of ${depth} rows and a multiple of 4 columns`, show(weights));
  }
  const output = [batch, rows, columns, weights[1]];
  requireSame(where, 'a bias', [weights[1]], bias);
  const isRow = residual.length === 1;
  requireSame(where, 'a residual', isRow ? [weights[1]] : output, residual);
  const pixels = batch * rows * columns;
  const quadsOut = weights[1] / 4;
  const turned = (axis: 0 | 1) => (kernel[axis] - 1) * dilations[axis] - pads[axis];
  const uniforms = {
    pixels,
    height,
    width,
    quadsIn: channels / 4,
    rows,
    columns,
    quadsOut,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: back ? 1 : strides[0],
    strideX: back ? 1 : strides[1],
    padTop: back ? turned(0) : pads[0],
    padLeft: back ? turned(1) : pads[1],
    dilationY: dilations[0],
    dilationX: dilations[1],
    spreadY: back ? strides[0] : 1,
    spreadX: back ? strides[1] : 1,
    residualStep: isRow ? 0 : quadsOut,
    relu: Number(relu),
  };
  return { output, uniforms, workgroups: [program.workgroups(uniforms), 1, 1] };
}

/** What a tensor of one row needs of rows: a residual that is added everywhere is not split. */
export function rowsOfConv2dLast({ residual }: Shapes): readonly Conv2dLastInput[] {
  return residual.length === 1 ? ['input'] : ['input', 'residual'];
}

/** The plainest loops: one sum for each number of the output. */
export const referenceConv2dLast: Conv2dLast['reference'] = ({ input, weights, bias, residual }, u, output) => {
  const [channels, filters] = [4 * u.quadsIn, 4 * u.quadsOut];
  for (let pixel = 0; pixel < u.pixels; pixel++) {
    const column = pixel % u.columns;
    const row = Math.floor(pixel / u.columns) % u.rows;
    const image = Math.floor(pixel / (u.columns * u.rows));
    for (let filter = 0; filter < filters; filter++) {
      let sum = bias[filter] + residual[4 * pixel * u.residualStep + filter];
      for (let place = 0; place < u.kernelHeight * u.kernelWidth; place++) {
        const y = (row * u.strideY + Math.floor(place / u.kernelWidth) * u.dilationY - u.padTop) / u.spreadY;
        const x = (column * u.strideX + (place % u.kernelWidth) * u.dilationX - u.padLeft) / u.spreadX;
        if (!Number.isInteger(y) || !Number.isInteger(x) || y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
        const at = ((image * u.height + y) * u.width + x) * channels;
        for (let c = 0; c < channels; c++) sum += input[at + c] * weights[(place * channels + c) * filters + filter];
      }
      output[pixel * filters + filter] = u.relu ? Math.max(sum, 0) : sum;
    }
  }
};

/** Strides, dilation and uneven pads, both directions, with a residual and with one row in its place. */
export function sampleConv2dLast(random: Random): ReturnType<Conv2dLast['samples']> {
  const none = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
  return [
    [
      {
        input: uniformTensor(random, [2, 7, 6, 8]),
        weights: uniformTensor(random, [72, 12]),
        bias: uniformTensor(random, [12]),
        residual: uniformTensor(random, [2, 4, 3, 12]),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true },
    ],
    [
      {
        input: uniformTensor(random, [3, 5, 7, 20]),
        weights: uniformTensor(random, [20, 8]),
        bias: uniformTensor(random, [8]),
        residual: uniformTensor(random, [8]),
      },
      { kernel: [1, 1], ...none },
    ],
    [
      {
        input: uniformTensor(random, [2, 4, 3, 8]),
        weights: uniformTensor(random, [48, 4]),
        bias: uniformTensor(random, [4]),
        residual: uniformTensor(random, [4]),
      },
      { kernel: [3, 2], strides: [2, 3], pads: [1, 0, 0, 1], dilations: [1, 2], back: [8, 8] },
    ],
  ];
}
