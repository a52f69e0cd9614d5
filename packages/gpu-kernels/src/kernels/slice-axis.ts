import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { show, workgroupsFor } from './shapes.ts';

export interface SliceAxisOptions {
  /** At least 1: batches are cut by `rows`. */
  readonly axis: number;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Keeps the positions `start` (inclusive) to `end` (exclusive) of one axis.
 *
 *     axis 1:  N×C×h×w  →  N×(end−start)×h×w
 *
 * @throws ShapeError when the axis does not exist or is 0
 * @throws RangeError when the positions are not inside the axis or none is left
 */
export const sliceAxis: Kernel<'input', 'count' | 'inner' | 'length' | 'start' | 'width', SliceAxisOptions> = {
  name: 'sliceAxis',
  inputs: ['input'],
  uniforms: { count: 'u32', inner: 'u32', length: 'u32', start: 'u32', width: 'u32' },
  plan({ input }, options) {
    requirePositions(input, options);
    const { axis, start, end } = options;
    const output = input.with(axis, end - start);
    const inner = sizeOf(input.slice(axis + 1));
    return {
      output,
      uniforms: { count: sizeOf(output), inner, length: input[axis], start, width: end - start },
      workgroups: workgroupsFor(sizeOf(output)),
    };
  },
  rows: () => ['input'],
  reference({ input }, { count, inner, length, start, width }, output) {
    for (let index = 0; index < count; index++) {
      const outer = Math.floor(index / (inner * width));
      const position = start + (Math.floor(index / inner) % width);
      output[index] = input[(outer * length + position) * inner + (index % inner)];
    }
  },
  wgsl: /* wgsl */ `
    // The input is seen as outer × length × inner, of which outer × width × inner is kept.
    struct Uniforms { count: u32, inner: u32, length: u32, start: u32, width: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let outer = index / (u.inner * u.width);
      let position = u.start + (index / u.inner) % u.width;
      output[index] = input[(outer * u.length + position) * u.inner + index % u.inner];
    }`,
  onnx: (trace, { inputs, options }) => trace.slice(inputs.input, options.axis, options.start, options.end),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 5, 3, 4]) }, { axis: 1, start: 1, end: 4 }],
    [{ input: uniformTensor(random, [2, 3, 4, 7]) }, { axis: 3, start: 2, end: 7 }],
  ],
};

function requirePositions(input: Shape, { axis, start, end }: SliceAxisOptions): void {
  if (!Number.isInteger(axis) || axis < 1 || axis >= input.length) {
    throw new ShapeError('sliceAxis', `an input with an axis ${axis}, which must not be axis 0`, show(input));
  }
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (whole && start >= 0 && start < end && end <= input[axis]) return;
  throw new RangeError(`sliceAxis expected positions inside 0 to ${input[axis]}, got ${start} to ${end}.`);
}
