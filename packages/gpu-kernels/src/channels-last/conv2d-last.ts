import {
  type Conv2dLast,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
  sampleConv2dLast,
} from './conv2d-last-plan.ts';
import { tiledProgram } from './conv2d-last-program.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';

/** Invocations of a workgroup, each of which computes eight pixels of eight channels. 8 or 16 in each direction. */
export interface Tile {
  /** Along the channels that are written. */
  readonly across: 8 | 16;
  /** Along the pixels. */
  readonly down: 8 | 16;
}

/**
 * A convolution, or its way back, as one product of matrices: pixels × (window · channels) times the packed weights, plus
 * bias and a shortcut, then ReLU if asked.
 *
 *     input N×H×W×I₄, weights (h·w·I₄)×O₄ from `packFilters`, bias O₄, residual N×rows×columns×O₄ or O₄  →  N×rows×columns×O₄
 *
 * The left matrix is never made: a workgroup gathers sixteen of its columns at a time into workgroup memory while it
 * multiplies with the sixteen before ("implicit GEMM"). `conv2dLast` has a tile that suits most shapes; others come from
 * `conv2dLastWith`.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const conv2dLast: Conv2dLast = tiled('conv2dLast', { across: 8, down: 8 });

/** `conv2dLast` computed in other tiles; the same record for the same tile, so that it is compiled once. */
export function conv2dLastWith(tile: Tile): Conv2dLast {
  return byTile[`${tile.across}×${tile.down}`];
}

function tiled(name: string, tile: Tile): Conv2dLast {
  const { across, down } = tile;
  return {
    name,
    inputs: ['input', 'weights', 'bias', 'residual'],
    uniforms: conv2dLastUniforms,
    plan: (shapes, options) =>
      planConv2dLast(name, shapes, options, {
        workgroups: ({ pixels, quadsOut }) => Math.ceil(pixels / (8 * down)) * Math.ceil(quadsOut / (2 * across)),
      }),
    rows: rowsOfConv2dLast,
    reference: referenceConv2dLast,
    wgsl: [{ features: [], code: tiledProgram, constants: { across, down } }],
    onnx: traceConv2dLast,
    samples: sampleConv2dLast,
  };
}

const byTile = {
  '8×8': conv2dLast,
  '8×16': tiled('conv2dLast8×16', { across: 8, down: 16 }),
  '16×8': tiled('conv2dLast16×8', { across: 16, down: 8 }),
  '16×16': tiled('conv2dLast16×16', { across: 16, down: 16 }),
} as const;
