import { paddedChannels } from '../channels-last/layout.ts';
import { toHalves } from '../halves/half.ts';
import { sizeOf, type Tensor, zeros } from '../tensor.ts';
import type { RecordedValue } from './recording-engine.ts';

// Constants with a number for each channel, as they stand beside images with channels last.

/** Channels in one number of memory. */
type InOneNumber = 1 | 2;

/** Whether a value is a constant with a number for each channel of an image: C×1×1 or 1×C×1×1. */
export function isRow({ constant, shape }: RecordedValue): boolean {
  const [, ...pixel] = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  return constant !== undefined && pixel.length === 2 && sizeOf(pixel) === 1;
}

/** One number for each channel, padded by zeros; undefined where the numbers are not known. */
export function paddedRow({ constant }: RecordedValue): RecordedValue | undefined {
  if (!constant) return undefined;
  const length = paddedChannels(constant.data.length);
  // the same numbers, where they fit, so that recordings share them
  return constantOf(length === constant.data.length ? constant : padded(constant.data, length));
}

/** A number for each channel as an image of one pixel. */
export function rowAsImage(numbers: Float32Array, inOneNumber: InOneNumber): RecordedValue {
  const row = padded(numbers, 1, 1, 1, paddedChannels(numbers.length));
  return constantOf(inOneNumber === 2 ? toHalves(row) : row);
}

/** A residual that adds nothing. */
export function zeroRow(channels: number, inOneNumber: InOneNumber): RecordedValue {
  return constantOf(zeros(paddedChannels(channels) / inOneNumber));
}

function padded(numbers: Float32Array, ...shape: readonly number[]): Tensor {
  const row = zeros(...shape);
  row.data.set(numbers);
  return row;
}

function constantOf(constant: Tensor): RecordedValue {
  return { shape: constant.shape, constant };
}
