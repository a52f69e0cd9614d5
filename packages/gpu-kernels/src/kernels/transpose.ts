import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { onFourAxes, show, stridesOf, workgroupsFor } from './shapes.ts';

export interface TransposeOptions {
  /** For each axis of the output, the axis of the input that it is. */
  readonly axes: readonly number[];
}

/**
 * Puts the axes in another order; at most four axes.
 *
 *     axes [0, 2, 3, 1]:  N×C×h×w  →  N×h×w×C
 *
 * @throws ShapeError for more than four axes
 * @throws RangeError when `axes` is not a permutation of the input's axes
 */
export const transpose: Kernel<
  'input',
  'count' | 'length1' | 'length2' | 'length3' | 'stride0' | 'stride1' | 'stride2' | 'stride3',
  TransposeOptions
> = {
  name: 'transpose',
  inputs: ['input'],
  uniforms: {
    count: 'u32',
    length1: 'u32',
    length2: 'u32',
    length3: 'u32',
    stride0: 'u32',
    stride1: 'u32',
    stride2: 'u32',
    stride3: 'u32',
  },
  plan({ input }, { axes }) {
    requirePermutation(input, axes);
    const lengths = onFourAxes('transpose', input);
    const strides = stridesOf(lengths);
    const padding = 4 - input.length;
    const order = lengths.map((_, axis) => (axis < padding ? axis : axes[axis - padding] + padding));
    const [stride0, stride1, stride2, stride3] = order.map((axis) => strides[axis]);
    const [, length1, length2, length3] = order.map((axis) => lengths[axis]);
    const count = sizeOf(input);
    return {
      output: axes.map((axis) => input[axis]),
      uniforms: { count, length1, length2, length3, stride0, stride1, stride2, stride3 },
      workgroups: workgroupsFor(count),
    };
  },
  rows: (_, { axes }) => (axes[0] === 0 ? ['input'] : []),
  reference({ input }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const i3 = index % u.length3;
      const i2 = Math.floor(index / u.length3) % u.length2;
      const i1 = Math.floor(index / (u.length3 * u.length2)) % u.length1;
      const i0 = Math.floor(index / (u.length3 * u.length2 * u.length1));
      output[index] = input[i0 * u.stride0 + i1 * u.stride1 + i2 * u.stride2 + i3 * u.stride3];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,
      length1: u32, length2: u32, length3: u32,                     // lengths of the output's axes 1 to 3
      stride0: u32, stride1: u32, stride2: u32, stride3: u32,       // steps in the input along the output's axes
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let i3 = index % u.length3;
      let i2 = (index / u.length3) % u.length2;
      let i1 = (index / (u.length3 * u.length2)) % u.length1;
      let i0 = index / (u.length3 * u.length2 * u.length1);
      output[index] = input[i0 * u.stride0 + i1 * u.stride1 + i2 * u.stride2 + i3 * u.stride3];
    }`,
  onnx: (trace, { inputs, options }) => trace.node('Transpose', [inputs.input], { perm: { ints: options.axes } }),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { axes: [0, 2, 3, 1] }],
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { axes: [3, 0, 2, 1] }],
    [{ input: uniformTensor(random, [3, 70]) }, { axes: [1, 0] }],
  ],
};

function requirePermutation(input: Shape, axes: readonly number[]): void {
  if (axes.length === input.length && input.every((_, axis) => axes.includes(axis))) return;
  throw new RangeError(`transpose expected an order of the axes of ${show(input)}, got [${axes.join(', ')}].`);
}
