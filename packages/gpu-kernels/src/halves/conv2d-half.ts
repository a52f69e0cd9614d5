import { type TileName, tileProgram, tilings } from '../channels-last/tile-program.ts';
import { type Conv2dHalf, halfConvolution, planConv2dHalf } from './conv2d-half-plan.ts';

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
export const conv2dHalf: Conv2dHalf = tiledHalf('conv2dHalf', '64×64');

/** `conv2dHalf` computed in other tiles; the same record for the same tile, so that it is compiled once. */
export function conv2dHalfWith(tile: TileName): Conv2dHalf {
  return byTile[tile];
}

function tiledHalf(name: string, tile: TileName): Conv2dHalf {
  return {
    ...halfConvolution,
    name,
    plan: (shapes, options) => planConv2dHalf(name, shapes, options, tilings[tile]),
    wgsl: tileProgram(tilings[tile], 'f16'),
  };
}

const byTile: { readonly [name in TileName]: Conv2dHalf } = {
  '64×64': conv2dHalf,
  '64×128': tiledHalf('conv2dHalf64×128', '64×128'),
  '128×64': tiledHalf('conv2dHalf128×64', '128×64'),
};
