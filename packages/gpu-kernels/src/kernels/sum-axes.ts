import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { onFourAxes, show, stridesOf, workgroupsFor } from './shapes.ts';

export interface SumAxesOptions {
  /** Axes to sum over; they stay, with length 1. */
  readonly axes: readonly number[];
}

const uniforms = {
  count: 'u32',
  kept1: 'u32',
  kept2: 'u32',
  kept3: 'u32',
  stride0: 'u32',
  stride1: 'u32',
  stride2: 'u32',
  stride3: 'u32',
  summed0: 'u32',
  summed1: 'u32',
  summed2: 'u32',
  summed3: 'u32',
} as const;

/**
 * Sums over some axes and keeps them with length 1; at most four axes.
 *
 *     axes [2, 3]:  N×C×h×w  →  N×C×1×1
 *
 * @throws ShapeError for more than four axes
 * @throws RangeError when an axis does not exist or is named twice
 */
export const sumAxes: Kernel<'input', keyof typeof uniforms, SumAxesOptions> = {
  name: 'sumAxes',
  inputs: ['input'],
  uniforms,
  plan({ input }, { axes }) {
    requireAxes(input, axes);
    const lengths = onFourAxes('sumAxes', input);
    const padding = 4 - input.length;
    const isSummed = lengths.map((_, axis) => axes.includes(axis - padding));
    const [stride0, stride1, stride2, stride3] = stridesOf(lengths);
    const [summed0, summed1, summed2, summed3] = lengths.map((length, axis) => (isSummed[axis] ? length : 1));
    const kept = lengths.map((length, axis) => (isSummed[axis] ? 1 : length));
    const [, kept1, kept2, kept3] = kept;
    const strides = { stride0, stride1, stride2, stride3 };
    const count = sizeOf(kept);
    return {
      output: kept.slice(padding),
      uniforms: { count, kept1, kept2, kept3, ...strides, summed0, summed1, summed2, summed3 },
      workgroups: workgroupsFor(count),
    };
  },
  rows: (_, { axes }) => (axes.includes(0) ? [] : ['input']),
  reference({ input }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const i3 = index % u.kept3;
      const i2 = Math.floor(index / u.kept3) % u.kept2;
      const i1 = Math.floor(index / (u.kept3 * u.kept2)) % u.kept1;
      const i0 = Math.floor(index / (u.kept3 * u.kept2 * u.kept1));
      const start = i0 * u.stride0 + i1 * u.stride1 + i2 * u.stride2 + i3 * u.stride3;
      output[index] = sumFrom(input, start, u);
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                   // elements of the output
      kept1: u32, kept2: u32, kept3: u32,                           // lengths of its axes 1 to 3
      stride0: u32, stride1: u32, stride2: u32, stride3: u32,       // of the input
      summed0: u32, summed1: u32, summed2: u32, summed3: u32,       // length of a summed axis, 1 for a kept one
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let i3 = index % u.kept3;
      let i2 = (index / u.kept3) % u.kept2;
      let i1 = (index / (u.kept3 * u.kept2)) % u.kept1;
      let i0 = index / (u.kept3 * u.kept2 * u.kept1);
      let start = i0 * u.stride0 + i1 * u.stride1 + i2 * u.stride2 + i3 * u.stride3;
      var sum = 0.0;
      for (var s0 = 0u; s0 < u.summed0; s0++) {
        for (var s1 = 0u; s1 < u.summed1; s1++) {
          for (var s2 = 0u; s2 < u.summed2; s2++) {
            var row = 0.0; // rows are summed apart, which keeps rounding small
            for (var s3 = 0u; s3 < u.summed3; s3++) {
              row += input[start + s0 * u.stride0 + s1 * u.stride1 + s2 * u.stride2 + s3 * u.stride3];
            }
            sum += row;
          }
        }
      }
      output[index] = sum;
    }`,
  onnx: (trace, { inputs, options }) => trace.reduce('ReduceSum', inputs.input, options.axes),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { axes: [2, 3] }],
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { axes: [1] }],
    [{ input: uniformTensor(random, [3, 70]) }, { axes: [1] }],
    [{ input: uniformTensor(random, [3, 5, 7]) }, { axes: [0, 2] }],
  ],
};

function sumFrom(input: Float32Array, start: number, u: { readonly [name in keyof typeof uniforms]: number }): number {
  let sum = 0;
  for (let s0 = 0; s0 < u.summed0; s0++) {
    for (let s1 = 0; s1 < u.summed1; s1++) {
      for (let s2 = 0; s2 < u.summed2; s2++) {
        for (let s3 = 0; s3 < u.summed3; s3++) {
          sum += input[start + s0 * u.stride0 + s1 * u.stride1 + s2 * u.stride2 + s3 * u.stride3];
        }
      }
    }
  }
  return sum;
}

function requireAxes(input: Shape, axes: readonly number[]): void {
  const exist = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < input.length);
  if (exist && axes.length > 0 && new Set(axes).size === axes.length) return;
  throw new RangeError(`sumAxes expected different axes of ${show(input)}, counted from 0, got [${axes.join(', ')}].`);
}
