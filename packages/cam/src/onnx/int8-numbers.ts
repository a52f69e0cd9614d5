import { type Shape, sizeOf } from '@cambium/gpu-kernels';

/** Least and greatest number that a value held. */
export type Range = readonly [low: number, high: number];

/** real = scale · (stored − zeroPoint), stored from 0 to 255. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * The finest uint8 scale on which a range and 0 both lie; 0 itself is stored exactly, so padding costs nothing.
 *
 *     scale = (high − low) / 255    zeroPoint = round(−low / scale)    low ≤ 0 ≤ high
 *
 * A range that holds 0 alone gets scale 1.
 *
 * @source Jacob et al. 2018, arXiv 1712.05877, eq. 1 and section 3
 */
export function affineOf([least, greatest]: Range): Affine {
  const low = Math.min(least, 0);
  const scale = Math.fround((Math.max(greatest, 0) - low) / 255);
  if (scale === 0) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(Math.round((0 - low) / scale), 255) };
}

/** A linear node in float32: weights, and the bias of each output. */
export interface LinearNumbers {
  readonly weights: Float32Array;
  readonly shape: Shape;
  /** The axis of the weights that counts the outputs. */
  readonly axis: number;
  readonly bias: ArrayLike<number>;
  /** Scale of the node's quantised input. */
  readonly inputScale: number;
}

/** One scale for each output; zero points are 0. A bias counts in steps of inputScale · scale. */
export interface Int8Numbers {
  readonly weights: Int8Array;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly bias: Int32Array;
}

/**
 * Rounds the weights of each output to −127 … 127 steps of a scale of its own, and its bias to int32.
 *
 *     scale = max |w| / 127
 *
 * The scale is larger where the bias would otherwise not fit the sums (an output whose weights are all but 0), and 1
 * where weights and bias are 0.
 *
 * @source Krishnamoorthi 2018, arXiv 1806.08342, section 3: symmetric weights, a scale for each channel
 */
export function quantiseLinear({ weights, shape, axis, bias, inputScale }: LinearNumbers): Int8Numbers {
  const inner = sizeOf(shape.slice(axis + 1));
  const outputOf = (index: number) => Math.floor(index / inner) % shape[axis];
  const scales = Float32Array.from(bias, (value) => Math.abs(value) / inputScale / LARGEST_BIAS);
  for (let index = 0; index < weights.length; index++) {
    const output = outputOf(index);
    scales[output] = Math.max(scales[output], Math.abs(weights[index]) / 127);
  }
  for (let output = 0; output < scales.length; output++) scales[output] ||= 1;
  return {
    weights: Int8Array.from(weights, (weight, index) => within(127, Math.round(weight / scales[outputOf(index)]))),
    scales,
    bias: Int32Array.from(bias, (value, output) => Math.round(value / (inputScale * scales[output]))),
  };
}

/** Half of what an int32 sum holds: the other half is for the products. */
const LARGEST_BIAS = 2 ** 30;

function within(limit: number, value: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
