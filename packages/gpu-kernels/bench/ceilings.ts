import { type Kernel, type Shape, sizeOf, type Tensor, uniformTensor } from '../src/index.ts';

// Two programs that do nothing but use up what a device has: memory bandwidth and arithmetic. They are kernels, so that they
// are checked and timed as all others are.

/** Copies numbers, four at a time. The count must be a multiple of 4. */
export const copy: Kernel<'input', 'quads'> = {
  name: 'copy',
  inputs: ['input'],
  uniforms: { quads: 'u32' },
  plan: ({ input }) => planQuads(input),
  reference: ({ input }, _, output) => output.set(input),
  wgsl: /* wgsl */ `
    struct Uniforms { quads: u32 }
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 256u);
      if (index >= u.quads) { return; }
      output[index] = input[index];
    }`,
  samples: (random) => [[{ input: uniformTensor(random, [7, 12]) }, undefined]],
};

/** Chains in each invocation: independent, so that a device need not wait for one to do the next. */
const CHAINS = 8;

/**
 * Fused multiply-adds x ← x·factor + offset in eight chains of four numbers, `rounds` times each.
 *
 * Chain k begins at the input plus k. With factor −1 and offset 1, which the compiler cannot know, two rounds give the
 * beginning back, exactly where 1 − x is exact; so the result, the sum of the chains, is known for an even number of rounds.
 */
export const multiplyAdd: Kernel<'input' | 'factors', 'quads' | 'rounds', { readonly rounds: number }> = {
  name: 'multiplyAdd',
  inputs: ['input', 'factors'],
  uniforms: { quads: 'u32', rounds: 'u32' },
  plan({ input }, { rounds }) {
    const plan = planQuads(input);
    return { ...plan, uniforms: { ...plan.uniforms, rounds } };
  },
  reference({ input }, _, output) {
    const starts = (CHAINS * (CHAINS - 1)) / 2;
    for (let index = 0; index < output.length; index++) output[index] = CHAINS * input[index] + starts;
  },
  wgsl: /* wgsl */ `
    struct Uniforms { quads: u32, rounds: u32 }
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;
    @group(0) @binding(1) var<storage, read> factors: array<vec4f>;   // the factor four times, then the offset four times
    @group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 256u);
      if (index >= u.quads) { return; }
      let x = input[index];
      let factor = factors[0];
      let offset = factors[1];
      var a = x; var b = x + 1.0; var c = x + 2.0; var d = x + 3.0;
      var e = x + 4.0; var f = x + 5.0; var g = x + 6.0; var h = x + 7.0;
      for (var round = 0u; round < u.rounds; round++) {
        a = fma(a, factor, offset); b = fma(b, factor, offset); c = fma(c, factor, offset); d = fma(d, factor, offset);
        e = fma(e, factor, offset); f = fma(f, factor, offset); g = fma(g, factor, offset); h = fma(h, factor, offset);
      }
      output[index] = a + b + c + d + e + f + g + h;
    }`,
  samples: (random) => [[{ input: exact(uniformTensor(random, [7, 12])), factors: FACTORS }, { rounds: 6 }]],
};

/** Factor and offset of `multiplyAdd`. */
export const FACTORS = { data: new Float32Array([-1, -1, -1, -1, 1, 1, 1, 1]), shape: [2, 4] } as const;

/** Numbers in [−1, 1) moved to multiples of 1/1024 in [0, 1), where 1 − x is exact. */
export function exact({ data, shape }: Tensor): Tensor {
  return { data: data.map((value) => Math.floor(512 * (value + 1)) / 1024), shape };
}

/** Additions and multiplications of `multiplyAdd`. */
export function multiplyAddFlops(input: Shape, rounds: number): number {
  return 2 * CHAINS * rounds * sizeOf(input);
}

function planQuads(input: Shape) {
  const quads = sizeOf(input) / 4;
  if (!Number.isInteger(quads)) throw new RangeError(`copy expected a multiple of 4 numbers, got ${sizeOf(input)}.`);
  return { output: input, uniforms: { quads }, workgroups: [Math.ceil(quads / 256), 1, 1] as const };
}
