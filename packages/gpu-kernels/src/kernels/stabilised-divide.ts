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

export interface StabilisedDivideOptions {
  /** Added to the denominator, away from 0. */
  readonly epsilon: number;
}

/**
 * Divides by a denominator that is first moved away from 0: n / (d + ε·sign(d)) with sign(0) = +1.
 *
 * Shapes broadcast as in NumPy, up to four axes.
 *
 * @source the stabiliser of the LRP-ε rule as zennit defines it (spec 1.5)
 */
export const stabilisedDivide: Kernel<
  'numerator' | 'denominator',
  BroadcastUniform | 'epsilon',
  StabilisedDivideOptions
> = {
  name: 'stabilisedDivide',
  inputs: ['numerator', 'denominator'],
  uniforms: { ...broadcastUniforms, epsilon: 'f32' },
  plan: (shapes, { epsilon }) => {
    const plan = planBroadcast('stabilisedDivide', shapes.numerator, shapes.denominator);
    return { ...plan, uniforms: { ...plan.uniforms, epsilon } };
  },
  rows: rowsOfBroadcast,
  reference({ numerator, denominator }, u, output) {
    combine([numerator, denominator], u, output, (n, d) => n / (d + (d < 0 ? -u.epsilon : u.epsilon)));
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                   // elements of the output
      length1: u32, length2: u32, length3: u32,                     // lengths of its axes 1 to 3
      left0: u32, left1: u32, left2: u32, left3: u32,               // steps of numerator, 0 where it is repeated
      right0: u32, right1: u32, right2: u32, right3: u32,           // steps of denominator
      epsilon: f32,
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
      output[index] = l / (r + select(u.epsilon, -u.epsilon, r < 0.0));
    }`,
  onnx(trace, { inputs: { numerator, denominator }, options: { epsilon } }) {
    const negative = trace.greater(trace.floats([0], []), denominator);
    const away = trace.node('Mul', [negative, trace.floats([-2 * epsilon], [])]);
    const shift = trace.node('Add', [away, trace.floats([epsilon], [])]); // ε, or −ε below 0
    return trace.node('Div', [numerator, trace.node('Add', [denominator, shift])]);
  },
  samples: (random) =>
    samplePairs(random).map(([numerator, denominator]) => [
      { numerator, denominator: withZeros(denominator) },
      { epsilon: 0.25 },
    ]),
};
