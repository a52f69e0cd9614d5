import type { Shape } from '@cambium/gpu-kernels';
import type { Constant } from '../graph.ts';

/** A constant whose numbers can be read. */
export type Numbers = Exclude<Constant, { type: 'encoded' }>;

/** Numbers as a constant of a type: floats rounded to float32, integers cut towards zero, booleans 0 or 1. */
export function numbersOf(type: Numbers['type'], shape: Shape, data: readonly number[]): Numbers {
  switch (type) {
    case 'float32':
      return { type, shape, data: Float32Array.from(data) };
    case 'bool':
      return { type, shape, data: data.map((value) => (value === 0 ? 0 : 1)) };
    case 'int8':
      return { type, shape, data: Int8Array.from(data, Math.trunc) };
    case 'uint8':
      return { type, shape, data: Uint8Array.from(data, Math.trunc) };
    case 'int32':
      return { type, shape, data: Int32Array.from(data, Math.trunc) };
    default:
      return { type, shape, data: data.map(Math.trunc) };
  }
}

/** The same numbers under another shape of equal size; nothing is copied. */
export function viewed<T extends Constant>(constant: T, shape: Shape): T {
  return { ...constant, shape };
}

/**
 * A constant made of elements of another.
 *
 * @param index where each element of the result, in row-major order, stands in the source
 */
export function picked(source: Numbers, shape: Shape, index: Int32Array): Numbers {
  const { data } = source;
  if (source.type !== 'float32')
    return numbersOf(
      source.type,
      shape,
      Array.from(index, (at) => data[at]),
    );
  const result = new Float32Array(index.length);
  for (let to = 0; to < index.length; to++) result[to] = data[index[to]];
  return { type: 'float32', shape, data: result };
}

/**
 * Positions in a row-major source for each element of a row-major result that walks it with other strides.
 *
 * @param strides how far one step along each axis of the result moves in the source
 */
export function walk(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let positions = Int32Array.of(start);
  for (const [axis, length] of shape.entries()) {
    const next = new Int32Array(positions.length * length);
    for (let outer = 0; outer < positions.length; outer++) {
      for (let inner = 0; inner < length; inner++)
        next[outer * length + inner] = positions[outer] + inner * strides[axis];
    }
    positions = next;
  }
  return positions;
}

/** Distances in memory between neighbours along each axis. */
export function stridesOf(shape: Shape): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
}

/** Strides that repeat a shape along the axes that broadcasting stretches. */
export function broadcastStrides(from: Shape, to: Shape): readonly number[] {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]));
}
