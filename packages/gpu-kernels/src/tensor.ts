import { ShapeError } from './errors.ts';

/** Lengths of the axes of a tensor, outermost first. An empty shape is a single number. */
export type Shape = readonly number[];

/** Numbers in row-major order with their shape: `data.length` is the product of `shape`. */
export interface Tensor {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: Shape;
}

/**
 * Pairs numbers with a shape.
 *
 * @throws ShapeError when an axis is not a non-negative integer or the product of the shape is not the data's length
 */
export function tensor(data: Float32Array<ArrayBuffer> | readonly number[], shape: Shape): Tensor {
  const numbers = data instanceof Float32Array ? data : Float32Array.from(data);
  if (shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new ShapeError('tensor', 'axes that are non-negative integers', `[${shape.join(', ')}]`);
  }
  if (numbers.length !== sizeOf(shape)) {
    throw new ShapeError('tensor', `${sizeOf(shape)} numbers for shape [${shape.join(', ')}]`, String(numbers.length));
  }
  return { data: numbers, shape };
}

/** A tensor whose every number is `value`. */
export function filled(value: number, ...shape: number[]): Tensor {
  return tensor(new Float32Array(sizeOf(shape)).fill(value), shape);
}

/** A tensor of zeros. */
export function zeros(...shape: number[]): Tensor {
  return tensor(new Float32Array(sizeOf(shape)), shape);
}

/** How many numbers a tensor of this shape holds; 1 for an empty shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Rows `start` (inclusive) to `end` (exclusive) along the first axis, as a view of the same memory.
 *
 *     N×…  →  (end−start)×…
 */
export function rows(source: Tensor, start: number, end: number): Tensor {
  const row = sizeOf(source.shape.slice(1));
  return { data: source.data.subarray(start * row, end * row), shape: [end - start, ...source.shape.slice(1)] };
}

/**
 * Joins tensors of equal trailing shape along their first axis.
 *
 * @throws ShapeError when the list is empty or the trailing shapes differ
 */
export function stack(parts: readonly Tensor[]): Tensor {
  if (parts.length === 0) throw new ShapeError('stack', 'at least one tensor', 'none');
  const trailing = parts[0].shape.slice(1);
  const other = parts.find((part) => part.shape.slice(1).join() !== trailing.join());
  if (other) throw new ShapeError('stack', `rows of [${trailing.join(', ')}]`, `[${other.shape.slice(1).join(', ')}]`);
  const count = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const result = new Float32Array(count * sizeOf(trailing));
  let offset = 0;
  for (const part of parts) {
    result.set(part.data, offset);
    offset += part.data.length;
  }
  return tensor(result, [count, ...trailing]);
}
