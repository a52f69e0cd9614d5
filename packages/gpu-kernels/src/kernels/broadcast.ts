import { ShapeError } from '../errors.ts';
import type { Named, Plan } from '../kernel.ts';
import { type Random, uniformTensor } from '../random.ts';
import { type Shape, sizeOf, type Tensor } from '../tensor.ts';
import { onFourAxes, show, stridesOf, workgroupsFor } from './shapes.ts';

/**
 * Uniforms of every element-wise kernel of two inputs: how many elements the output has, the lengths of its axes 1 to 3
 * (of four) and how far each input advances along each axis, 0 where it is repeated.
 */
export const broadcastUniforms = {
  count: 'u32',
  length1: 'u32',
  length2: 'u32',
  length3: 'u32',
  left0: 'u32',
  left1: 'u32',
  left2: 'u32',
  left3: 'u32',
  right0: 'u32',
  right1: 'u32',
  right2: 'u32',
  right3: 'u32',
} as const;

export type BroadcastUniform = keyof typeof broadcastUniforms;

/**
 * Plans an element-wise kernel of two inputs under NumPy's broadcasting: shapes are aligned at their last axes, and an
 * axis of length 1 is repeated.
 *
 * @throws ShapeError when two lengths differ and neither is 1, or a shape has more than four axes
 */
export function planBroadcast(where: string, left: Shape, right: Shape): Plan<BroadcastUniform> {
  const [a, b] = [onFourAxes(where, left), onFourAxes(where, right)];
  if (a.some((length, axis) => length !== b[axis] && length !== 1 && b[axis] !== 1)) {
    throw new ShapeError(where, `a shape that broadcasts with ${show(left)}`, show(right));
  }
  const lengths = a.map((length, axis) => (length === 1 ? b[axis] : length));
  const [left0, left1, left2, left3] = steps(a);
  const [right0, right1, right2, right3] = steps(b);
  const [, length1, length2, length3] = lengths;
  const count = sizeOf(lengths);
  return {
    output: lengths.slice(4 - Math.max(left.length, right.length)),
    uniforms: { count, length1, length2, length3, left0, left1, left2, left3, right0, right1, right2, right3 },
    workgroups: workgroupsFor(count),
  };
}

/** The inputs that are not repeated along the first axis of the result. */
export function rowsOfBroadcast<In extends string>(shapes: Named<In, Shape>): readonly In[] {
  const names = Object.keys(shapes) as In[]; // a record has its own names
  const rank = Math.max(...names.map((name) => shapes[name].length));
  return names.filter((name) => shapes[name].length === rank && shapes[name][0] > 1);
}

/** Writes `of(left, right)` for every element of the output. */
export function combine(
  [left, right]: readonly [Float32Array, Float32Array],
  u: Named<BroadcastUniform, number>,
  output: Float32Array,
  of: (left: number, right: number) => number,
): void {
  for (let index = 0; index < u.count; index++) {
    const i3 = index % u.length3;
    const i2 = Math.floor(index / u.length3) % u.length2;
    const i1 = Math.floor(index / (u.length3 * u.length2)) % u.length1;
    const i0 = Math.floor(index / (u.length3 * u.length2 * u.length1));
    const l = left[i0 * u.left0 + i1 * u.left1 + i2 * u.left2 + i3 * u.left3];
    const r = right[i0 * u.right0 + i1 * u.right1 + i2 * u.right2 + i3 * u.right3];
    output[index] = of(l, r);
  }
}

/** Pairs to try an element-wise kernel on: equal shapes, channels repeated over space, a row, a single number. */
export function samplePairs(random: Random): readonly (readonly [Tensor, Tensor])[] {
  const shapes: readonly (readonly [Shape, Shape])[] = [
    [
      [2, 3, 4, 5],
      [2, 3, 4, 5],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 1],
    ],
    [[3, 7], [7]],
    [
      [2, 3, 1, 5],
      [2, 1, 4, 1],
    ],
    [[3, 130], []],
  ];
  return shapes.map(([left, right]) => [uniformTensor(random, left), uniformTensor(random, right)]);
}

/** The tensor with a zero in place of every third number. */
export function withZeros(source: Tensor): Tensor {
  return { shape: source.shape, data: source.data.map((value, index) => (index % 3 === 0 ? 0 : value)) };
}

function steps(shape: Shape): number[] {
  const strides = stridesOf(shape);
  return shape.map((length, axis) => (length === 1 ? 0 : strides[axis]));
}
