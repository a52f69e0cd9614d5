import {
  type Conv2dLast,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
  sampleConv2dLast,
} from './conv2d-last-plan.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';
import { type TileName, tileProgram, tilings } from './tile-program.ts';

/**
 * A convolution, or its way back, as one product of matrices: pixels × (window · channels) times the packed weights, plus
 * bias and a shortcut, then ReLU if asked.
 *
 *     input N×H×W×I₄, weights (h·w·I₄)×O₄ from `packFilters`, bias O₄, residual N×rows×columns×O₄ or O₄  →  N×rows×columns×O₄
 *
 * The left matrix is never made: a workgroup gathers a slab of its columns at a time into workgroup memory while it
 * multiplies with the slab before ("implicit GEMM"). `conv2dLast` has a tile that suits most shapes; others come from
 * `conv2dLastWith`.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const conv2dLast: Conv2dLast = tiled('conv2dLast', '64×64');

/** `conv2dLast` computed in other tiles; the same record for the same tile, so that it is compiled once. */
export function conv2dLastWith(tile: TileName): Conv2dLast {
  return byTile[tile];
}

function tiled(name: string, tile: TileName): Conv2dLast {
  const { pixels: tall, channels: wide } = tilings[tile];
  return {
    name,
    inputs: ['input', 'weights', 'bias', 'residual'],
    uniforms: conv2dLastUniforms,
    plan: (shapes, options) =>
      planConv2dLast(name, shapes, options, {
        workgroups: ({ pixels, quadsOut }) => Math.ceil(pixels / tall) * Math.ceil((4 * quadsOut) / wide),
      }),
    rows: rowsOfConv2dLast,
    reference: referenceConv2dLast,
    wgsl: tileProgram(tilings[tile], 'f32'),
    onnx: traceConv2dLast,
    samples: sampleConv2dLast,
  };
}

const byTile: { readonly [name in TileName]: Conv2dLast } = {
  '64×64': conv2dLast,
  '64×128': tiled('conv2dLast64×128', '64×128'),
  '128×64': tiled('conv2dLast128×64', '128×64'),
};
