import { ShapeError } from '../errors.ts';
import { show } from '../kernels/shapes.ts';
import { type Shape, sizeOf, type Tensor } from '../tensor.ts';

// Tensors of half precision are kept as words: one float32 of a tensor's memory holds two halves, the first in its lower bits.
// Engines move words as they move numbers; only kernels that say so look inside.

/** Bits of the half nearest to a number, ties to even; numbers beyond the range become infinite. @source IEEE 754, binary16 */
export function halfBits(value: number): number {
  single[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and beyond round to infinity
  if (magnitude >= 0x38800000) {
    // normal: the exponent is rebased, the mantissa loses 13 bits
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return sign | roundToEven(Math.abs(single[0]) * 2 ** 24); // subnormal: a multiple of 2⁻²⁴
}

/** The number that the bits of a half stand for. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Halves of words, as numbers. */
export function fromHalves(words: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bitsOf(words), halfValue);
}

/** Writes numbers into words, two to each. */
export function writeHalves(numbers: ArrayLike<number>, words: Float32Array): void {
  const bits = bitsOf(words);
  for (let index = 0; index < bits.length; index++) bits[index] = halfBits(numbers[index]);
}

/** Numbers within what a half can hold: those beyond become ±65504. */
export function boundedHalves(numbers: Float32Array): Float32Array {
  return numbers.map((value) => Math.min(Math.max(value, -65504), 65504));
}

/**
 * Words for a tensor whose last axis is even.
 *
 *     …×C  →  …×C/2
 *
 * @throws ShapeError when the last axis is odd
 */
export function toHalves({ data, shape }: Tensor): Tensor {
  const halved = halvedShape(shape);
  const words = new Float32Array(sizeOf(halved));
  writeHalves(data, words);
  return { data: words, shape: halved };
}

/** The shape that words of a tensor have. @throws ShapeError when its last axis is odd */
export function halvedShape(shape: Shape): Shape {
  const last = shape.at(-1) ?? 1;
  if (shape.length > 0 && last % 2 === 0) return shape.with(-1, last / 2);
  throw new ShapeError('halvedShape', 'a last axis of even length', show(shape));
}

/** The shape of the numbers in words. */
export function doubledShape(shape: Shape): Shape {
  return shape.with(-1, 2 * shape[shape.length - 1]);
}

/** @throws ShapeError when a shape is not N×H×W×words of whole quads, four halves each */
export function requireHalves(where: string, what: string, shape: Shape): void {
  if (shape.length === 4 && shape[3] % 2 === 0) return;
  throw new ShapeError(where, `${what} of shape batch×height×width×words, words a multiple of 2`, show(shape));
}

function bitsOf(words: Float32Array): Uint16Array {
  return new Uint16Array(words.buffer, words.byteOffset, 2 * words.length);
}

function roundToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

const single = new Float32Array(1);
const word = new Uint32Array(single.buffer);

/** Tolerance of kernels that round to halves: a half is off by up to 2⁻¹², relatively, and its neighbour may be chosen. */
export const HALF_ROUNDING = 2 ** -22;
