import type { Random } from '../random.ts';
import { uniformTensor } from '../random.ts';
import { compute } from '../reference-engine.ts';
import type { Tensor } from '../tensor.ts';
import {
  type Conv2dLast,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
} from './conv2d-last-plan.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';
import { winogradProgram } from './conv2d-winograd-program.ts';
import { packFiltersWinograd } from './pack-filters-winograd.ts';

/** What a workgroup computes: tiles of 2×2 pixels, and quads of channels. */
const TILES = 32;
const QUADS = 8;

/** A left inverse of G: the filter that was transformed. */
const FROM_G = [
  [1, 0, 0, 0],
  [0, 1, -1, 0],
  [0, 0, 0, 1],
] as const;

/**
 * A 3×3 convolution with stride 1, or its way back, with 16 products where `conv2dLast` has 36.
 *
 *     input N×H×W×I₄, weights (16·I₄)×O₄ from `packFiltersWinograd`, bias O₄, residual N×rows×columns×O₄ or O₄
 *       →  N×rows×columns×O₄
 *
 * For each tile of 2×2 pixels the 4×4 pixels that it reads are transformed (V = Bᵀ d B), multiplied place by place with the
 * transformed filters and summed over channels, and transformed back (Y = Aᵀ M A). All is one program: a workgroup transforms
 * eight channels at a time into workgroup memory, and neither V nor M, four times as large as the images, is ever in memory.
 *
 * Sums are float32 and differ from `conv2dLast`'s as much as theirs from another order, with one exception: where all products are
 * 0, theirs is 0 and this one what rounding leaves of the other pixels of the tile. Rules that divide by a sum unless it is 0 must
 * not be computed by it. Which of the two is faster depends on device and shape, so it is a candidate to be timed and nobody's
 * default.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 * @throws RangeError when the window is not 3×3 with stride 1 and without dilation
 * @source Lavin and Gray 2015, arXiv 1509.09308, F(2×2, 3×3)
 */
export const conv2dWinograd: Conv2dLast = {
  name: 'conv2dWinograd',
  inputs: ['input', 'weights', 'bias', 'residual'],
  uniforms: conv2dLastUniforms,
  filters: packFiltersWinograd,
  keepsZeros: false,
  suits: ({ kernel, strides, dilations }) =>
    kernel.every((side) => side === 3) && [...strides, ...dilations].every((step) => step === 1),
  plan(shapes, options) {
    if (!conv2dWinograd.suits?.(options)) {
      const { kernel, strides, dilations } = options;
      throw new RangeError(
        `conv2dWinograd expected a 3×3 window with strides and dilations of 1, got ${kernel.join('×')} with strides ${strides.join('×')} and dilations ${dilations.join('×')}; use conv2dLast.`,
      );
    }
    return planConv2dLast('conv2dWinograd', shapes, options, {
      workgroups({ pixels, rows, columns, quadsOut }) {
        const tiles = (pixels / (rows * columns)) * Math.ceil(rows / 2) * Math.ceil(columns / 2);
        return Math.ceil(tiles / TILES) * Math.ceil(quadsOut / QUADS);
      },
      depth: 16 * shapes.input[3],
    });
  },
  rows: rowsOfConv2dLast,
  reference({ weights, ...inputs }, u, output) {
    const size = 16 * u.quadsIn * u.quadsOut;
    const filters = Float32Array.from({ length: 9 * size }, (_, index) => {
      const place = Math.floor(index / size);
      const [row, column] = [FROM_G[Math.floor(place / 3)], FROM_G[place % 3]];
      let sum = 0;
      for (let at = 0; at < 16; at++) sum += row[at >> 2] * column[at & 3] * weights[at * size + (index % size)];
      return sum;
    });
    referenceConv2dLast({ ...inputs, weights: filters }, u, output);
  },
  wgsl: winogradProgram,
  onnx(trace, { inputs, shapes, ...call }) {
    const [, written] = shapes.weights;
    const [, , , read] = shapes.input;
    const back = FROM_G.flatMap((row) => FROM_G.flatMap((column) => row.flatMap((a) => column.map((b) => a * b))));
    const places = trace.reshape(inputs.weights, [16, read * written]);
    const filters = trace.node('MatMul', [trace.floats(back, [9, 16]), places]);
    return traceConv2dLast(trace, {
      ...call,
      inputs: { ...inputs, weights: trace.reshape(filters, [9 * read, written]) },
      shapes: { ...shapes, weights: [9 * read, written] },
    });
  },
  samples: (random) => {
    const around = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1] } as const;
    return [
      [
        {
          input: uniformTensor(random, [2, 7, 6, 12]),
          weights: transformed(random, 8, 12),
          bias: uniformTensor(random, [8]),
          residual: uniformTensor(random, [2, 7, 6, 8]),
        },
        { ...around, pads: [1, 1, 1, 1], relu: true },
      ],
      [
        {
          input: uniformTensor(random, [3, 5, 9, 4]),
          weights: transformed(random, 36, 4),
          bias: uniformTensor(random, [36]),
          residual: uniformTensor(random, [36]),
        },
        { ...around, pads: [0, 2, 1, 0] },
      ],
      [
        {
          input: uniformTensor(random, [2, 5, 6, 8]),
          weights: transformed(random, 4, 8),
          bias: uniformTensor(random, [4]),
          residual: uniformTensor(random, [4]),
        },
        { ...around, pads: [1, 0, 1, 2], back: [5, 6] },
      ],
    ];
  },
};

/** Weights of so many filters, as they come from `packFiltersWinograd`. */
function transformed(random: Random, filters: number, channels: number): Tensor {
  const weights = uniformTensor(random, [filters, channels, 3, 3]);
  return compute(packFiltersWinograd, { weights }, { direction: 'forward' });
}
