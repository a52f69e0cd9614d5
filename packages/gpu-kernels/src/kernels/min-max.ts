import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { show } from './shapes.ts';

export interface MinMaxOptions {
  /** Added to max − min in the denominator; 0 makes the maximum exactly 1. */
  readonly epsilon: number;
}

/**
 * Stretches each map over the last two axes to [0, 1].
 *
 *     …×h×w  →  …×h×w,  (x − min) / (max − min + ε)
 *
 * A constant map becomes 0 everywhere, whatever ε is.
 *
 * @throws ShapeError when the input has fewer than two axes
 * @source spec 0.2, minmax_e
 */
export const minMax: Kernel<'input', 'maps' | 'pixels' | 'epsilon', MinMaxOptions> = {
  name: 'minMax',
  inputs: ['input'],
  uniforms: { maps: 'u32', pixels: 'u32', epsilon: 'f32' },
  plan({ input }, { epsilon }) {
    if (input.length < 2) throw new ShapeError('minMax', 'maps of shape …×height×width', show(input));
    const maps = sizeOf(input.slice(0, -2));
    return { output: input, uniforms: { maps, pixels: sizeOf(input.slice(-2)), epsilon }, workgroups: [maps, 1, 1] };
  },
  rows: ({ input }) => (input.length > 2 ? ['input'] : []),
  reference({ input }, { maps, pixels, epsilon }, output) {
    for (let map = 0; map < maps; map++) {
      const start = map * pixels;
      const values = input.subarray(start, start + pixels);
      let [least] = values;
      let [most] = values;
      for (let pixel = 1; pixel < pixels; pixel++) {
        least = Math.min(least, values[pixel]);
        most = Math.max(most, values[pixel]);
      }
      const range = most - least;
      for (let pixel = 0; pixel < pixels; pixel++) {
        output[start + pixel] = range === 0 ? 0 : (values[pixel] - least) / (range + epsilon);
      }
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { maps: u32, pixels: u32, epsilon: f32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // maps × pixels
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // maps × pixels
    @group(0) @binding(2) var<uniform> u: Uniforms;

    var<workgroup> least: array<f32, 64>;
    var<workgroup> largest: array<f32, 64>;

    // One workgroup for each map.
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let map = group.x + group.y * groups.x;
      if (map >= u.maps) { return; }
      let start = map * u.pixels;
      var low = input[start];
      var high = low;
      for (var pixel = lane; pixel < u.pixels; pixel += 64u) {
        low = min(low, input[start + pixel]);
        high = max(high, input[start + pixel]);
      }
      least[lane] = low;
      largest[lane] = high;
      for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier(); // all lanes have written what the lower half now reads
        if (lane < half) {
          least[lane] = min(least[lane], least[lane + half]);
          largest[lane] = max(largest[lane], largest[lane + half]);
        }
      }
      workgroupBarrier(); // lane 0 holds the extremes of the map
      let range = largest[0] - least[0];
      let denominator = select(range + u.epsilon, 1.0, range == 0.0); // a constant map is 0 / 1
      for (var pixel = lane; pixel < u.pixels; pixel += 64u) {
        output[start + pixel] = (input[start + pixel] - least[0]) / denominator;
      }
    }`,
  onnx: (trace, { inputs, shapes, options }) => traceMinMax(trace, inputs.input, shapes.input, options.epsilon),
  samples: (random) => {
    const maps = uniformTensor(random, [3, 2, 9, 10]);
    maps.data.fill(0.3, 90, 180); // a constant map among others
    return [
      [{ input: maps }, { epsilon: 0 }],
      [{ input: uniformTensor(random, [3, 5, 7]) }, { epsilon: 0.125 }],
    ];
  },
};

/** The nodes of min-max over the last two axes. */
export function traceMinMax(trace: OnnxTrace, input: string, shape: Shape, epsilon: number): string {
  const axes = [shape.length - 2, shape.length - 1];
  const least = trace.reduce('ReduceMin', input, axes);
  const range = trace.node('Sub', [trace.reduce('ReduceMax', input, axes), least]);
  return trace.node('Div', [trace.node('Sub', [input, least]), safeRange(trace, range, epsilon)]);
}

/** range + ε, or 1 + ε where the range is 0. */
export function safeRange(trace: OnnxTrace, range: string, epsilon: number): string {
  const constant = trace.node('Sub', [trace.floats([1], []), trace.nonZero(range)]);
  const safe = trace.node('Add', [range, constant]);
  return epsilon === 0 ? safe : trace.node('Add', [safe, trace.floats([epsilon], [])]);
}
