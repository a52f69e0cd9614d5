import type { Kernel } from '../kernel.ts';
import {
  type BroadcastUniform,
  broadcastUniforms,
  combine,
  planBroadcast,
  rowsOfBroadcast,
  samplePairs,
  withZeros,
} from './broadcast.ts';

/**
 * Divides element by element and is 0 where the denominator is exactly 0.
 *
 * Shapes broadcast as in NumPy, up to four axes. No infinity or NaN arises on the way, whatever the numerator.
 *
 * @source spec 1.5.2, "div(a, b)"
 */
export const guardedDivide: Kernel<'numerator' | 'denominator', BroadcastUniform> = {
  name: 'guardedDivide',
  inputs: ['numerator', 'denominator'],
  uniforms: broadcastUniforms,
  plan: (shapes) => planBroadcast('guardedDivide', shapes.numerator, shapes.denominator),
  rows: rowsOfBroadcast,
  reference({ numerator, denominator }, u, output) {
    combine([numerator, denominator], u, output, (n, d) => (d === 0 ? 0 : n / d));
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                   // elements of the output
      length1: u32, length2: u32, length3: u32,                     // lengths of its axes 1 to 3
      left0: u32, left1: u32, left2: u32, left3: u32,               // steps of numerator, 0 where it is repeated
      right0: u32, right1: u32, right2: u32, right3: u32,           // steps of denominator
    }
    @group(0) @binding(0) var<storage, read> numerator: array<f32>;
    @group(0) @binding(1) var<storage, read> denominator: array<f32>;
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
      let l = numerator[i0 * u.left0 + i1 * u.left1 + i2 * u.left2 + i3 * u.left3];
      let r = denominator[i0 * u.right0 + i1 * u.right1 + i2 * u.right2 + i3 * u.right3];
      if (r == 0.0) {
        output[index] = 0.0;
      } else {
        output[index] = l / r;
      }
    }`,
  onnx(trace, { inputs: { numerator, denominator } }) {
    const present = trace.nonZero(denominator);
    const absent = trace.node('Sub', [trace.floats([1], []), present]);
    const safe = trace.node('Add', [denominator, absent]); // 1 in place of 0
    return trace.node('Div', [trace.node('Mul', [numerator, present]), safe]);
  },
  samples: (random) =>
    samplePairs(random).map(([numerator, denominator]) => [
      { numerator, denominator: withZeros(denominator) },
      undefined,
    ]),
};
