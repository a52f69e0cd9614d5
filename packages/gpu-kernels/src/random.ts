import { type Shape, sizeOf, type Tensor, tensor } from './tensor.ts';
import { twister } from './twister.ts';

/** A stream of random numbers. The order of the calls decides what each returns. */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Uniform in [low, high). */
  uniformBetween(low: number, high: number): number;
  /** A whole number in [0, max]. @throws RangeError unless `max` is a whole number below 2³² */
  interval(max: number): number;
  /** A whole number in [low, high). @throws RangeError when there is none */
  integer(low: number, high: number): number;
  /** The numbers 0 to count − 1 in random order; a stream that knows `first` may return only so many of them. */
  permutation(count: number, first?: number): Uint32Array<ArrayBuffer>;
  /** Standard normal. */
  normal(): number;
  /** Adds what `uniformBetween` would draw to numbers in their order, faster than one by one. */
  addUniform?(numbers: Float32Array, low: number, high: number): void;
  /** Adds what `normal` would draw, times a deviation, to numbers in their order, faster than one by one. */
  addNormal?(numbers: Float32Array, deviation: number): void;
}

/**
 * The stream of NumPy's legacy generator (`numpy.random.seed` and the functions beside it), number for number.
 *
 * @param seed a whole number in [0, 2³²)
 * @throws RangeError when the seed is not
 * @source spec 0.6: MT19937, masked rejection, Fisher–Yates from the end, polar Box–Muller
 */
export function numpyRandom(seed: number): Random {
  requireWord('numpyRandom', 'a seed', seed);
  const { word, uniform, ...others } = twister(seed);
  const interval = (max: number) => drawInterval(word, max);
  return {
    uniform,
    uniformBetween: (low, high) => low + (high - low) * uniform(),
    interval,
    integer: (low, high) => low + interval(high - 1 - low),
    ...others,
  };
}

/**
 * A tensor of uniform numbers in [low, high), drawn in row-major order.
 *
 * @throws ShapeError when the shape is not made of non-negative integers
 */
export function uniformTensor(random: Random, shape: Shape, low = -1, high = 1): Tensor {
  const numbers = new Float32Array(sizeOf(shape));
  if (random.addUniform) random.addUniform(numbers, low, high);
  else for (let index = 0; index < numbers.length; index++) numbers[index] = random.uniformBetween(low, high);
  return tensor(numbers, shape);
}

function drawInterval(word: () => number, max: number): number {
  requireWord('Random.interval', 'a largest value', max);
  if (max === 0) return 0; // nothing to draw: the stream does not advance
  const mask = 0xffffffff >>> Math.clz32(max);
  let draw = (word() & mask) >>> 0;
  while (draw > max) draw = (word() & mask) >>> 0;
  return draw;
}

function requireWord(where: string, what: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return;
  throw new RangeError(`${where} expected ${what} that is a whole number in [0, 4294967296), got ${value}.`);
}
