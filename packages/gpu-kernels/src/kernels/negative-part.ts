import type { Kernel } from '../kernel.ts';
import { planPointwise, samplePoints } from './pointwise.ts';

/** min(x, 0), of any shape: what LRP writes as x⁻. It keeps its sign, so x = x⁺ + x⁻. */
export const negativePart: Kernel<'input', 'count'> = {
  name: 'negativePart',
  inputs: ['input'],
  uniforms: { count: 'u32' },
  plan: ({ input }) => planPointwise(input),
  rows: () => ['input'],
  reference({ input }, { count }, output) {
    for (let index = 0; index < count; index++) output[index] = Math.min(input[index], 0);
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
      output[index] = min(input[index], 0.0);
    }`,
  // −ReLU(−x): Min takes its constant in other ways before opset 8
  onnx: (trace, { inputs }) => trace.node('Neg', [trace.node('Relu', [trace.node('Neg', [inputs.input])])]),
  samples: (random) => samplePoints(random).map((input) => [{ input }, undefined]),
};
