import type { Kernel } from '../kernel.ts';
import {
  type BroadcastUniform,
  broadcastUniforms,
  combine,
  planBroadcast,
  rowsOfBroadcast,
  samplePairs,
} from './broadcast.ts';

/**
 * Subtracts `right` from `left` element by element.
 *
 * Shapes broadcast as in NumPy, up to four axes.
 */
export const subtract: Kernel<'left' | 'right', BroadcastUniform> = {
  name: 'subtract',
  inputs: ['left', 'right'],
  uniforms: broadcastUniforms,
  plan: (shapes) => planBroadcast('subtract', shapes.left, shapes.right),
  rows: rowsOfBroadcast,
  reference({ left, right }, u, output) {
    combine([left, right], u, output, (l, r) => l - r);
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                   // elements of the output
      length1: u32, length2: u32, length3: u32,                     // lengths of its axes 1 to 3
      left0: u32, left1: u32, left2: u32, left3: u32,               // steps of left, 0 where it is repeated
      right0: u32, right1: u32, right2: u32, right3: u32,           // steps of right
    }
    @group(0) @binding(0) var<storage, read> left: array<f32>;
    @group(0) @binding(1) var<storage, read> right: array<f32>;
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let i3 = index % u.length3;
      let i2 = (index / u.length3) % u.length2;
      let i1 = (index / (u.length3 * u.length2)) % u.length1;
      let i0 = index / (u.length3 * u.length2 * u.length1);
      let l = left[i0 * u.left0 + i1 * u.left1 + i2 * u.left2 + i3 * u.left3];
      let r = right[i0 * u.right0 + i1 * u.right1 + i2 * u.right2 + i3 * u.right3];
      output[index] = l - r;
    }`,
  onnx: (trace, { inputs }) => trace.node('Sub', [inputs.left, inputs.right]),
  samples: (random) => samplePairs(random).map(([left, right]) => [{ left, right }, undefined]),
};
