import type { Tile } from '../channels-last/conv2d-last.ts';
import { type Conv2dHalf, halfConvolution, planConv2dHalf } from './conv2d-half-plan.ts';
import { halfProgram } from './conv2d-half-program.ts';

/**
 * `conv2dLast` with halves in memory and sums in float32: half the bytes.
 *
 *     input N×H×W×I₄/2 words, weights (h·w·I₄)×O₄/2 words from `packFiltersHalf`, bias O₄, residual …×O₄/2 words or O₄/2 words
 *       →  N×rows×columns×O₄/2 words
 *
 * Results beyond what a half can hold (65504) become that number. `conv2dHalf` has a tile that suits most shapes; others come
 * from `conv2dHalfWith`.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const conv2dHalf: Conv2dHalf = tiledHalf('conv2dHalf', { across: 8, down: 8 });

/** `conv2dHalf` computed in other tiles; the same record for the same tile, so that it is compiled once. */
export function conv2dHalfWith(tile: Tile): Conv2dHalf {
  return byTile[`${tile.across}×${tile.down}`];
}

function tiledHalf(name: string, { across, down }: Tile): Conv2dHalf {
  return {
    ...halfConvolution,
    name,
    plan: (shapes, options) => planConv2dHalf(name, shapes, options, { pixels: 8 * down, channels: 8 * across }),
    wgsl: [{ features: [], code: halfProgram, constants: { across, down } }],
  };
}

const byTile = {
  '8×8': conv2dHalf,
  '8×16': tiledHalf('conv2dHalf8×16', { across: 8, down: 16 }),
  '16×8': tiledHalf('conv2dHalf16×8', { across: 16, down: 8 }),
  '16×16': tiledHalf('conv2dHalf16×16', { across: 16, down: 16 }),
} as const;
