import type { Kernel } from '../kernel.ts';
import { type BroadcastUniform, broadcastUniforms, rowsOfBroadcast } from '../kernels/broadcast.ts';
import { HALF_ROUNDING } from './half.ts';
import { combineHalves, planHalfBroadcast, sampleHalfPairs } from './half-broadcast.ts';

/**
 * `multiply` of halves with channels last.
 *
 * Shapes broadcast along the batch and along space; every shape has all channels.
 *
 * @throws ShapeError when an input is not laid out channels last, or the shapes do not fit
 */
export const multiplyHalf: Kernel<'left' | 'right', BroadcastUniform> = {
  name: 'multiplyHalf',
  inputs: ['left', 'right'],
  halves: ['left', 'right', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: broadcastUniforms,
  plan: (shapes) => planHalfBroadcast('multiplyHalf', shapes.left, shapes.right),
  rows: rowsOfBroadcast,
  reference({ left, right }, u, output) {
    combineHalves([left, right], u, output, (l, r) => l * r);
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                   // words of the output
      length1: u32, length2: u32, length3: u32,                     // lengths of its axes 1 to 3
      left0: u32, left1: u32, left2: u32, left3: u32,               // steps of left, 0 where it is repeated
      right0: u32, right1: u32, right2: u32, right3: u32,           // steps of right
    }
    @group(0) @binding(0) var<storage, read> left: array<u32>;
    @group(0) @binding(1) var<storage, read> right: array<u32>;
    @group(0) @binding(2) var<storage, read_write> output: array<u32>;
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let i3 = index % u.length3;
      let i2 = (index / u.length3) % u.length2;
      let i1 = (index / (u.length3 * u.length2)) % u.length1;
      let i0 = index / (u.length3 * u.length2 * u.length1);
      let l = unpack2x16float(left[i0 * u.left0 + i1 * u.left1 + i2 * u.left2 + i3 * u.left3]);
      let r = unpack2x16float(right[i0 * u.right0 + i1 * u.right1 + i2 * u.right2 + i3 * u.right3]);
      output[index] = pack2x16float(clamp(l * r, vec2f(-65504.0), vec2f(65504.0)));
    }`,
  samples: (random) => sampleHalfPairs(random).map(([left, right]) => [{ left, right }, undefined]),
};
