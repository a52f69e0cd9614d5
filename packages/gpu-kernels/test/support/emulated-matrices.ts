import { matrixProgram } from '../../src/halves/conv2d-matrix-program.ts';
import type { MatrixTile, MatrixUnit } from '../../src/halves/matrix-units.ts';

/**
 * The program of a convolution by matrices for devices without any: its matrices are places in workgroup memory, multiplied by loops
 * in float32, and 32 invocations play a subgroup. All else of the program stays: which numbers are brought where, which matrices are
 * multiplied, and where their sums go.
 *
 * @throws Error when the program's text is not what is replaced here
 */
export function emulatedProgram(unit: MatrixUnit, tile: MatrixTile): string {
  const program = matrixProgram(unit, tile, { lanes: 32, held: false }, emulatedTypes(unit));
  const builtins =
    '    @builtin(subgroup_id) subgroup: u32,\n    @builtin(subgroup_invocation_id) ownLane: u32,\n  ) {\n';
  if (!program.includes(builtins)) throw new Error(`The program of conv2dMatrix no longer contains ${builtins}.`);
  return program.replace(
    builtins,
    '  ) {\n    let subgroup = lane / 32u;\n    let ownLane = lane % 32u;\n    emulatedLane = ownLane;\n',
  );
}

function emulatedTypes({ M, N, K }: MatrixUnit): string {
  return /* wgsl */ `
  alias Number = f32;
  const quads = ${(M * N) / 4}u; // of a matrix of sums
  const held = ${Math.ceil((M * N) / 4 / 32)}u; // in each invocation
  struct Left { at: u32 }
  struct Right { at: u32 }
  struct Sum { quads: array<vec4f, held> }
  var<private> emulatedLane: u32;

  fn opened(quad: vec2u) -> vec4f { return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y)); }
  fn leftAt(at: u32) -> Left { return Left(at); }
  fn rightAt(at: u32) -> Right { return Right(at); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum {
    var next = sum;
    for (var i = 0u; i < held; i++) {
      let index = emulatedLane + 32u * i;
      if (index >= quads) { continue; }
      let pixel = left.at + index / ${N / 4}u * memoryRow;
      let channel = 4u * (index % ${N / 4}u);
      for (var k = 0u; k < ${K / 4}u; k++) {
        let factor = gathered[pixel + k];
        for (var c = 0u; c < 4u; c++) {
          next.quads[i][c] += dot(factor, filters[right.at + (channel + c) * memoryRow + k]);
        }
      }
    }
    return next;
  }
  fn put(at: u32, sum: Sum) {
    for (var i = 0u; i < held; i++) {
      let index = emulatedLane + 32u * i;
      if (index < quads) { scratch[at + index / ${N / 4}u * sumsRow + index % ${N / 4}u] = sum.quads[i]; }
    }
  }
`;
}
