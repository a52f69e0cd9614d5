import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { requireSame, show, workgroupsFor } from './shapes.ts';

export interface ConcatAxisOptions {
  /** At least 1: batches are not joined. */
  readonly axis: number;
}

/**
 * Joins two tensors along one axis; the others are equal.
 *
 *     axis 1:  N×C×h×w, N×D×h×w  →  N×(C+D)×h×w
 *
 * @throws ShapeError when the axis does not exist or is 0, or other axes differ
 */
export const concatAxis: Kernel<'left' | 'right', 'count' | 'inner' | 'leftLength' | 'rightLength', ConcatAxisOptions> =
  {
    name: 'concatAxis',
    inputs: ['left', 'right'],
    uniforms: { count: 'u32', inner: 'u32', leftLength: 'u32', rightLength: 'u32' },
    plan({ left, right }, { axis }) {
      if (!Number.isInteger(axis) || axis < 1 || axis >= left.length) {
        throw new ShapeError('concatAxis', `inputs with an axis ${axis}, which must not be axis 0`, show(left));
      }
      requireSame('concatAxis', 'a right input', left.with(axis, right[axis]), right);
      const output = left.with(axis, left[axis] + right[axis]);
      const count = sizeOf(output);
      const inner = sizeOf(left.slice(axis + 1));
      return {
        output,
        uniforms: { count, inner, leftLength: left[axis], rightLength: right[axis] },
        workgroups: workgroupsFor(count),
      };
    },
    rows: () => ['left', 'right'],
    reference({ left, right }, { count, inner, leftLength, rightLength }, output) {
      for (let index = 0; index < count; index++) {
        const place = Math.floor(index / inner) % (leftLength + rightLength);
        const outer = Math.floor(index / (inner * (leftLength + rightLength)));
        const within = index % inner;
        output[index] =
          place < leftLength
            ? left[(outer * leftLength + place) * inner + within]
            : right[(outer * rightLength + place - leftLength) * inner + within];
      }
    },
    wgsl: /* wgsl */ `
    struct Uniforms { count: u32, inner: u32, leftLength: u32, rightLength: u32 }
    @group(0) @binding(0) var<storage, read> left: array<u32>;          // bits, moved as they are: they may be of two halves; outer × leftLength × inner
    @group(0) @binding(1) var<storage, read> right: array<u32>;         // outer × rightLength × inner
    @group(0) @binding(2) var<storage, read_write> output: array<u32>;  // outer × (leftLength + rightLength) × inner
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let place = (index / u.inner) % (u.leftLength + u.rightLength);
      let outer = index / (u.inner * (u.leftLength + u.rightLength));
      let within = index % u.inner;
      if (place < u.leftLength) {
        output[index] = left[(outer * u.leftLength + place) * u.inner + within];
      } else {
        output[index] = right[(outer * u.rightLength + place - u.leftLength) * u.inner + within];
      }
    }`,
    onnx: (trace, { inputs, options }) =>
      trace.node('Concat', [inputs.left, inputs.right], { axis: { int: options.axis } }),
    samples: (random) => [
      [{ left: uniformTensor(random, [2, 3, 4, 5]), right: uniformTensor(random, [2, 6, 4, 5]) }, { axis: 1 }],
      [{ left: uniformTensor(random, [3, 5]), right: uniformTensor(random, [3, 2]) }, { axis: 1 }],
    ],
  };
