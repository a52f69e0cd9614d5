import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { show, workgroupsFor } from './shapes.ts';

export interface PadAxisOptions {
  /** At least 1. */
  readonly axis: number;
  /** Zeros put before the input. */
  readonly before: number;
  /** Zeros put after it. */
  readonly after: number;
}

/**
 * Puts zeros before and after the input along one axis: the gradient of `sliceAxis`.
 *
 *     axis 1:  N×C×h×w  →  N×(before+C+after)×h×w
 *
 * @throws ShapeError when the axis does not exist or is 0
 * @throws RangeError when a number of zeros is not a non-negative integer
 */
export const padAxis: Kernel<'input', 'count' | 'inner' | 'length' | 'before' | 'width', PadAxisOptions> = {
  name: 'padAxis',
  inputs: ['input'],
  uniforms: { count: 'u32', inner: 'u32', length: 'u32', before: 'u32', width: 'u32' },
  plan({ input }, options) {
    requireZeros(input, options);
    const { axis, before, after } = options;
    const width = before + input[axis] + after;
    const output = input.with(axis, width);
    const inner = sizeOf(input.slice(axis + 1));
    return {
      output,
      uniforms: { count: sizeOf(output), inner, length: input[axis], before, width },
      workgroups: workgroupsFor(sizeOf(output)),
    };
  },
  rows: () => ['input'],
  reference({ input }, { count, inner, length, before, width }, output) {
    for (let index = 0; index < count; index++) {
      const outer = Math.floor(index / (inner * width));
      const position = (Math.floor(index / inner) % width) - before;
      const inside = position >= 0 && position < length;
      output[index] = inside ? input[(outer * length + position) * inner + (index % inner)] : 0;
    }
  },
  wgsl: /* wgsl */ `
    // The output is seen as outer × width × inner; positions before to before + length of its middle axis are the input.
    struct Uniforms { count: u32, inner: u32, length: u32, before: u32, width: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let outer = index / (u.inner * u.width);
      let position = (index / u.inner) % u.width;
      if (position < u.before || position >= u.before + u.length) {
        output[index] = 0.0;
        return;
      }
      output[index] = input[(outer * u.length + position - u.before) * u.inner + index % u.inner];
    }`,
  onnx(trace, { inputs, shapes, options }) {
    const around = (zeros: number) => shapes.input.map((_, axis) => (axis === options.axis ? zeros : 0));
    return trace.pad(inputs.input, [...around(options.before), ...around(options.after)], 0);
  },
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 5, 3, 4]) }, { axis: 1, before: 2, after: 3 }],
    [{ input: uniformTensor(random, [2, 3, 4, 7]) }, { axis: 3, before: 0, after: 2 }],
  ],
};

function requireZeros(input: Shape, { axis, before, after }: PadAxisOptions): void {
  if (!Number.isInteger(axis) || axis < 1 || axis >= input.length) {
    throw new ShapeError('padAxis', `an input with an axis ${axis}, which must not be axis 0`, show(input));
  }
  if ([before, after].every((zeros) => Number.isInteger(zeros) && zeros >= 0)) return;
  throw new RangeError(
    `padAxis expected numbers of zeros that are whole and not negative, got ${before} and ${after}.`,
  );
}
