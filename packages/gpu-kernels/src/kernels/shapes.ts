import { ShapeError } from '../errors.ts';
import type { Shape } from '../tensor.ts';

/** A shape as error texts show it. */
export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** @throws ShapeError when the shape has not one axis for each name of `axes` */
export function requireRank(where: string, what: string, shape: Shape, axes: string): void {
  if (shape.length === axes.split('×').length) return;
  throw new ShapeError(where, `${what} of shape ${axes}`, show(shape));
}

/** @throws ShapeError when the two shapes differ */
export function requireSame(where: string, what: string, expected: Shape, actual: Shape): void {
  if (expected.length === actual.length && expected.every((length, axis) => length === actual[axis])) return;
  throw new ShapeError(where, `${what} of shape ${show(expected)}`, show(actual));
}

/** Lengths on four axes: ones are put before the given ones. @throws ShapeError for more than four axes */
export function onFourAxes(where: string, shape: Shape): Shape {
  if (shape.length > 4) throw new ShapeError(where, 'at most four axes', show(shape));
  return [...Array<number>(4 - shape.length).fill(1), ...shape];
}

/** How far apart neighbours along each axis lie in row-major order. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Workgroups of 64 invocations, one invocation for each of `count` elements. */
export function workgroupsFor(count: number): readonly [number, number, number] {
  return [Math.max(1, Math.ceil(count / 64)), 1, 1];
}
