import { ShapeError } from '../errors.ts';
import { show } from '../kernels/shapes.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import type { Shape } from '../tensor.ts';

// Channels last: N×C×H×W is kept as N×H×W×C with C padded to a multiple of four by zeros, so that programs move four
// channels at once, whatever the window does to rows and columns.

/** Attributes of an ONNX Transpose that puts channels last. */
export const LAST = { perm: { ints: [0, 2, 3, 1] } };
/** Attributes of an ONNX Transpose that puts channels first. */
export const FIRST = { perm: { ints: [0, 3, 1, 2] } };

/** Channels as the layout keeps them: the next multiple of four. */
export function paddedChannels(channels: number): number {
  return 4 * Math.ceil(channels / 4);
}

/** N×C×H×W → N×H×W×C, channels padded. */
export function lastShape([batch, channels, height, width]: Shape): Shape {
  return [batch, height, width, paddedChannels(channels)];
}

/** @throws ShapeError when a shape is not N×H×W×C with C a multiple of four */
export function requireLast(where: string, what: string, shape: Shape): void {
  if (shape.length === 4 && shape[3] % 4 === 0) return;
  throw new ShapeError(where, `${what} of shape batch×height×width×channels, channels a multiple of 4`, show(shape));
}

/** Nodes that put the places along some axes in the opposite order. */
export function traceTurned(
  trace: OnnxTrace,
  input: string,
  axes: readonly number[],
  lengths: readonly number[],
): string {
  return axes.reduce((value, axis, index) => {
    const opposite = Array.from({ length: lengths[index] }, (_, place) => lengths[index] - 1 - place);
    return trace.node('Gather', [value, trace.integers(opposite)], { axis: { int: axis } });
  }, input);
}
