import type { Kernel } from '../kernel.ts';
import { planPointwise, samplePoints } from './pointwise.ts';

/** max(x, 0), of any shape: what LRP writes as x⁺, and ReLU. */
export const positivePart: Kernel<'input', 'count'> = {
  name: 'positivePart',
  inputs: ['input'],
  uniforms: { count: 'u32' },
  plan: ({ input }) => planPointwise(input),
  rows: () => ['input'],
  reference({ input }, { count }, output) {
    for (let index = 0; index < count; index++) output[index] = Math.max(input[index], 0);
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
      output[index] = max(input[index], 0.0);
    }`,
  onnx: (trace, { inputs }) => trace.node('Relu', [inputs.input]),
  samples: (random) => samplePoints(random).map((input) => [{ input }, undefined]),
};
