import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { planPointwise, samplePoints } from './pointwise.ts';
import { finite, type RectifierOptions } from './rectifier-gradient.ts';

/**
 * A rectifier: ReLU6, LeakyRelu and other clips, of any shape.
 *
 *     x where floor < x < ceiling, floor + slope·(x − floor) where x ≤ floor, ceiling where x ≥ ceiling
 *
 * @throws RangeError when the ceiling is not above the floor
 */
export const rectify: Kernel<'input', 'count' | 'floor' | 'ceiling' | 'slope', RectifierOptions> = {
  name: 'rectify',
  inputs: ['input'],
  uniforms: { count: 'u32', floor: 'f32', ceiling: 'f32', slope: 'f32' },
  plan({ input }, { floor, ceiling, slope }) {
    if (!(ceiling > floor)) {
      throw new RangeError(`rectify expected a ceiling above the floor ${floor}, got ${ceiling}.`);
    }
    const plan = planPointwise(input);
    return { ...plan, uniforms: { ...plan.uniforms, floor: finite(floor), ceiling: finite(ceiling), slope } };
  },
  rows: () => ['input'],
  reference({ input }, { count, floor, ceiling, slope }, output) {
    for (let index = 0; index < count; index++) {
      const value = input[index];
      output[index] = value > floor ? Math.min(value, ceiling) : floor + slope * (value - floor);
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, floor: f32, ceiling: f32, slope: f32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let value = input[index];
      if (value > u.floor) { output[index] = min(value, u.ceiling); }
      else { output[index] = u.floor + u.slope * (value - u.floor); }
    }`,
  onnx(trace, { inputs: { input }, options: { floor, ceiling, slope } }) {
    const clipped = traceClip(trace, input, finite(floor), finite(ceiling));
    if (slope === 0) return clipped;
    const low = trace.floats([floor], []);
    const below = trace.node('Sub', [traceClip(trace, input, finite(Number.NEGATIVE_INFINITY), floor), low]);
    return trace.node('Add', [clipped, trace.node('Mul', [below, trace.floats([slope], [])])]);
  },
  samples: (random) =>
    samplePoints(random).flatMap((input) =>
      [
        { floor: 0, ceiling: 2, slope: 0 },
        { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0.125 },
        { floor: -1, ceiling: 1.5, slope: 0.25 },
      ].map((options) => [{ input }, options] as const),
    ),
};

/** Clip's bounds are attributes up to opset 10 and inputs from 11. */
function traceClip(trace: OnnxTrace, input: string, low: number, high: number): string {
  return trace.opset >= 11
    ? trace.node('Clip', [input, trace.floats([low], []), trace.floats([high], [])])
    : trace.node('Clip', [input], { min: { float: low }, max: { float: high } });
}
