import { heldTo, matrixTypes, type SubgroupSize, sizeControl } from '../src/halves/matrix-units.ts';
import {
  doubledShape,
  type Kernel,
  type MatrixHost,
  type MatrixUnit,
  matrixConvolutions,
  sizeOf,
  type Variant,
  zeros,
} from '../src/index.ts';

// What a device has of arithmetic in half precision, as ceilings.ts measures it in float32.

/** Fused multiply-adds of halves: `multiplyAdd` with eight chains of four halves, for devices with `shader-f16`. */
export const multiplyAddHalf: Kernel<'input', 'quads' | 'rounds', { readonly rounds: number }> = {
  name: 'multiplyAddHalf',
  inputs: ['input'],
  halves: ['input', 'output'],
  uniforms: { quads: 'u32', rounds: 'u32' },
  plan({ input }, { rounds }) {
    const quads = sizeOf(input) / 2;
    return { output: input, uniforms: { quads, rounds }, workgroups: [Math.ceil(quads / 256), 1, 1] };
  },
  reference: ({ input }, _, output) => output.set(input), // of zeros: after an even number of rounds all chains are 0 again
  wgsl: [
    {
      features: ['shader-f16'],
      code: /* wgsl */ `
    enable f16;
    struct Uniforms { quads: u32, rounds: u32 }
    @group(0) @binding(0) var<storage, read> input: array<vec4<f16>>;
    @group(0) @binding(1) var<storage, read_write> output: array<vec4<f16>>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 256u);
      if (index >= u.quads) { return; }
      let factor = vec4<f16>(-f16(min(u.rounds, 1u))); // −1, which the compiler cannot know
      let x = input[index];
      var a = x; var b = x + 1.0h; var c = x + 2.0h; var d = x + 3.0h;
      var e = x - 1.0h; var f = x - 2.0h; var g = x - 3.0h; var h = x;
      for (var round = 0u; round < u.rounds; round++) {
        a = fma(a, factor, x); b = fma(b, factor, x); c = fma(c, factor, x); d = fma(d, factor, x);
        e = fma(e, factor, x); f = fma(f, factor, x); g = fma(g, factor, x); h = fma(h, factor, x);
      }
      output[index] = a + b + c + d + e + f + g + h;
    }`,
    },
  ],
  samples: () => [[{ input: zeros(8, 12) }, { rounds: 6 }]],
};

/** Additions and multiplications of `multiplyAddHalf`. */
export function multiplyAddHalfFlops(input: Parameters<typeof doubledShape>[0], rounds: number): number {
  return 2 * 8 * rounds * sizeOf(doubledShape(input));
}

/** Products of matrices by the subgroups of a device that multiply the same two over and over, and how many they are. */
export interface MatrixCeiling {
  readonly kernel: Kernel<'input', 'rounds', { readonly rounds: number }>;
  /** Additions and multiplications of one workgroup in one round. */
  readonly flops: number;
}

/** Independent sums of a subgroup, so that a device need not wait for one to add to the next. */
const LEFTS = [0, 1];
const RIGHTS = [0, 1, 2, 3];
const SUMS = LEFTS.length * RIGHTS.length;

/**
 * For a device that has a program of `matrixConvolutions`; it speaks the same unit. A subgroup holds two left matrices and four right
 * ones and adds their products to eight sums, each a variable of its own.
 */
export function matrixCeiling(host: MatrixHost): MatrixCeiling | undefined {
  const [program] = matrixConvolutions(host);
  if (!program) return undefined;
  const { unit, size, tile, wgsl } = program;
  const [{ features }] = wgsl as readonly Variant[]; // these programs are lists of one
  const { M, N, K } = unit;
  return {
    kernel: {
      name: 'multiplyMatrices',
      inputs: ['input'],
      uniforms: { rounds: 'u32' },
      // an element of the input for each workgroup
      plan: ({ input }, { rounds }) => ({ output: input, uniforms: { rounds }, workgroups: [sizeOf(input), 1, 1] }),
      reference: (_, __, output) => output.fill(0),
      wgsl: [{ features, code: repeatedProgram(unit, size, tile.subgroups) }],
      samples: () => [[{ input: zeros(6) }, { rounds: 4 }]],
    },
    flops: 2 * M * N * K * SUMS * tile.subgroups,
  };
}

function repeatedProgram(unit: MatrixUnit, { lanes, held }: SubgroupSize, subgroups: number): string {
  const { M, N, K } = unit;
  const pairs = LEFTS.flatMap((i) => RIGHTS.map((j) => `${i}${j}`));
  return /* wgsl */ `${held ? sizeControl : ''}${matrixTypes(unit)}
  const memoryRow = ${K / 4}u;
  const sumsRow = ${N / 4}u;
  struct Uniforms { rounds: u32 }
  @group(0) @binding(0) var<storage, read> input: array<f32>;        // as many as there are workgroups
  @group(0) @binding(1) var<storage, read_write> output: array<f32>;
  @group(0) @binding(2) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ${(LEFTS.length * M * K) / 4}>;
  var<workgroup> filters: array<vec4<Number>, ${(RIGHTS.length * N * K) / 4}>;
  var<workgroup> scratch: array<vec4f, ${(subgroups * M * N) / 4}>;

  @compute @workgroup_size(${lanes * subgroups})${held ? heldTo(lanes) : ''}
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
  ) {
    let index = group.x + group.y * groups.x;
    for (var i = lane; i < ${(LEFTS.length * M * K) / 4}u; i += ${lanes * subgroups}u) {
      gathered[i] = vec4<Number>(Number(input[index]));
    }
    for (var i = lane; i < ${(RIGHTS.length * N * K) / 4}u; i += ${lanes * subgroups}u) {
      filters[i] = vec4<Number>(Number(input[index]));
    }
    workgroupBarrier(); // the matrices are there
    ${LEFTS.map((i) => `let left${i} = leftAt(${(i * M * K) / 4}u);`).join('\n    ')}
    ${RIGHTS.map((j) => `let right${j} = rightAt(${(j * N * K) / 4}u);`).join('\n    ')}
    ${pairs.map((at) => `var s${at}: Sum;`).join('\n    ')}
    for (var round = 0u; round < u.rounds; round++) {
      ${pairs.map((at) => `s${at} = added(s${at}, left${at[0]}, right${at[1]});`).join('\n      ')}
    }
    let mine = subgroup * ${(M * N) / 4}u;
    var sum = 0.0;
    ${pairs
      .map(
        (at) => `put(mine, s${at});
    workgroupBarrier(); // the sums are written
    sum += scratch[lane % ${(subgroups * M * N) / 4}u].x;
    workgroupBarrier(); // and read`,
      )
      .join('\n    ')}
    if (lane == 0u) { output[index] = sum; }
  }`;
}
