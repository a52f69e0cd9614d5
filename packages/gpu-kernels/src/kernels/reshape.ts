import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { planPointwise } from './pointwise.ts';
import { show } from './shapes.ts';

export interface ReshapeOptions {
  /** Axis 0 is the input's own. */
  readonly shape: Shape;
}

/**
 * The same numbers under another shape; axis 0 keeps its length.
 *
 *     N×C×h×w  →  N×(C·h·w)
 *
 * @throws ShapeError when axis 0 changes or the shapes hold different numbers of elements
 */
export const reshape: Kernel<'input', 'count', ReshapeOptions> = {
  name: 'reshape',
  inputs: ['input'],
  uniforms: { count: 'u32' },
  plan({ input }, { shape }) {
    if (input.length === 0 || shape[0] !== input[0] || sizeOf(shape) !== sizeOf(input)) {
      throw new ShapeError(
        'reshape',
        `a shape with the first axis and the size of ${show(input)}, that is ${sizeOf(input)} numbers`,
        show(shape),
      );
    }
    return { ...planPointwise(input), output: shape };
  },
  reference({ input }, { count }, output) {
    for (let index = 0; index < count; index++) output[index] = input[index];
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
      output[index] = input[index];
    }`,
  // 0 copies the length of axis 0, whatever it is when the model runs
  onnx: (trace, { inputs, options }) => trace.reshape(inputs.input, [0, ...options.shape.slice(1)]),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { shape: [2, 60] }],
    [{ input: uniformTensor(random, [3, 60]) }, { shape: [3, 5, 4, 3] }],
  ],
};
