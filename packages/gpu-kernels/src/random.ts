import { mersenne } from 'pure-rand/generator/mersenne';
import { type Shape, sizeOf, type Tensor, tensor } from './tensor.ts';

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
  /** The numbers 0 to count − 1 in random order. */
  permutation(count: number): Uint32Array<ArrayBuffer>;
  /** Standard normal. */
  normal(): number;
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
  const generator = mersenne(seed);
  const word = () => generator.next();
  const uniform = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) * 2 ** -53;
  const interval = (max: number) => drawInterval(word, max);
  return {
    uniform,
    uniformBetween: (low, high) => low + (high - low) * uniform(),
    interval,
    integer: (low, high) => low + interval(high - 1 - low),
    permutation: (count) => shuffled(word, count),
    normal: polarNormal(uniform),
  };
}

/**
 * A tensor of uniform numbers in [low, high), drawn in row-major order.
 *
 * @throws ShapeError when the shape is not made of non-negative integers
 */
export function uniformTensor(random: Random, shape: Shape, low = -1, high = 1): Tensor {
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniformBetween(low, high)),
    shape,
  );
}

function drawInterval(word: () => number, max: number): number {
  requireWord('Random.interval', 'a largest value', max);
  if (max === 0) return 0; // nothing to draw: the stream does not advance
  const mask = 0xffffffff >>> Math.clz32(max);
  let draw = (word() & mask) >>> 0;
  while (draw > max) draw = (word() & mask) >>> 0;
  return draw;
}

/**
 * Swaps each place, from the last down to 1, with one at or before it. No processor could foresee which draws are refused,
 * so there is no branch on it: a draw beyond the place swaps the place with itself and is repeated.
 */
function shuffled(word: () => number, count: number): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(count);
  for (let place = 0; place < count; place++) order[place] = place;
  for (let place = count - 1; place > 0; ) {
    const mask = 0xffffffff >>> Math.clz32(place);
    for (const below = mask >>> 1; place > below; ) {
      const draw = word() & mask;
      const refused = (place - draw) >> 31; // −1 where it is, else 0
      const other = draw ^ ((draw ^ place) & refused);
      const number = order[place];
      order[place] = order[other];
      order[other] = number;
      place -= 1 + refused;
    }
  }
  return order;
}

/** Draws come in pairs: the second coordinate is returned first, the first is kept for the next call. */
function polarNormal(uniform: () => number): () => number {
  const kept = Float64Array.of(0); // a variable would make an object of every number
  let keeping = false;
  return () => {
    keeping = !keeping;
    if (!keeping) return kept[0];
    let x = 0;
    let y = 0;
    let squared = 0;
    while (squared === 0 || squared >= 1) {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      squared = x * x + y * y;
    }
    const scale = Math.sqrt((-2 * Math.log(squared)) / squared);
    kept[0] = scale * x;
    return scale * y;
  };
}

function requireWord(where: string, what: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return;
  throw new RangeError(`${where} expected ${what} that is a whole number in [0, 4294967296), got ${value}.`);
}
