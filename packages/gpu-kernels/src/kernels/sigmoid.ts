import type { Kernel } from '../kernel.ts';
import { planPointwise, samplePoints } from './pointwise.ts';

/** 1 / (1 + exp(−x)), of any shape. Large |x| gives 0 or 1, never NaN. */
export const sigmoid: Kernel<'input', 'count'> = {
  name: 'sigmoid',
  inputs: ['input'],
  uniforms: { count: 'u32' },
  plan: ({ input }) => planPointwise(input),
  rows: () => ['input'],
  reference({ input }, { count }, output) {
    for (let index = 0; index < count; index++) output[index] = 1 / (1 + Math.exp(-input[index]));
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let value = input[index];
      let small = exp(-abs(value)); // never overflows
      output[index] = select(small, 1.0, value >= 0.0) / (1.0 + small);
    }`,
  onnx: (trace, { inputs }) => trace.node('Sigmoid', [inputs.input]),
  samples: (random) => samplePoints(random).map((input) => [{ input }, undefined]),
};
