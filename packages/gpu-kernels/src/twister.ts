import { logarithm } from './logarithm.ts';
import { type ManyDraws, manyDraws } from './many-draws.ts';

/** Words of the state. */
const SIZE = 624;
/** A word is made of itself, the next one and the one so many further on. */
const REACH = 397;
/** From so many numbers on it pays to hand the stream to WebAssembly. */
const MANY = 64;

/** A stream of random words of 32 bits, made a block at a time. */
export interface Twister {
  /** The next word, signed. */
  word(): number;
  /** A uniform number in [0, 1) of the next two words: 27 bits of the first, 26 of the second. */
  uniform(): number;
  /** The numbers 0 to count − 1 in random order, or only the first so many of them. */
  permutation(count: number, first?: number): Uint32Array<ArrayBuffer>;
  /** Adds uniform numbers in [low, high) to numbers in their order. */
  addUniform(numbers: Float32Array, low: number, high: number): void;
  /** Adds normal numbers of this standard deviation to numbers in their order. */
  addNormal(numbers: Float32Array, deviation: number): void;
  /** A standard normal number; of each pair that is made the second waits for the next call. */
  normal(): number;
}

/**
 * The Mersenne Twister MT19937. Noise for images takes hundreds of thousands of numbers, so draws of many numbers at a time
 * are made by WebAssembly where it runs, and by the loops below where it does not: the same bits.
 *
 * @param seed 32 bits
 * @param many draws of many numbers; null for the loops alone
 * @source Matsumoto and Nishimura 1998, doi 10.1145/272991.272995
 */
export function twister(seed: number, many: ManyDraws | null = manyDraws()): Twister {
  const state = { words: seeded(seed), at: SIZE };
  const block = new Int32Array(SIZE);
  let current = false; // whether the block is the state's
  let kept: number | undefined;
  const word = () => {
    if (state.at === SIZE) {
      twist(state.words);
      state.at = 0;
      current = false;
    }
    if (!current) temper(state.words, block);
    current = true;
    return block[state.at++];
  };
  const uniform = () => (word() >>> 5) * 2 ** -27 + (word() >>> 6) * 2 ** -53;
  const normal = (): number => {
    if (kept !== undefined) {
      const second = kept;
      kept = undefined;
      return second;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const squared = x * x + y * y;
      if (squared === 0 || squared >= 1) continue;
      const scale = Math.sqrt((-2 * logarithm(squared)) / squared);
      kept = scale * x;
      return scale * y;
    }
  };
  const permutation = (count: number, first = count) => {
    if (many && count >= MANY) {
      current = false;
      return many.permutation(state, count, first);
    }
    return shuffled(count, word).slice(0, first);
  };
  const addUniform = (numbers: Float32Array, low: number, high: number) => {
    if (many && numbers.length >= MANY) {
      current = false;
      many.addUniform(state, numbers, low, high - low);
    } else for (let index = 0; index < numbers.length; index++) numbers[index] += low + (high - low) * uniform();
  };
  const addNormal = (numbers: Float32Array, deviation: number) => {
    let index = 0;
    if (many && numbers.length >= MANY) {
      if (kept !== undefined) numbers[index++] += deviation * normal();
      const end = numbers.length - ((numbers.length - index) & 1);
      current = false;
      many.addNormal(state, numbers.subarray(index, end), deviation);
      index = end;
    }
    for (; index < numbers.length; index++) numbers[index] += deviation * normal();
  };
  return { word, uniform, normal, permutation, addUniform, addNormal };
}

/** The numbers 0 to count − 1, each place from the last down to 1 swapped with one at or before it. */
function shuffled(count: number, word: () => number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, place) => place);
  for (let place = count - 1; place > 0; place--) {
    const mask = 0xffffffff >>> Math.clz32(place);
    let other = word() & mask;
    while (other > place) other = word() & mask;
    [order[place], order[other]] = [order[other], order[place]];
  }
  return order;
}

function seeded(seed: number): Int32Array {
  const state = new Int32Array(SIZE);
  state[0] = seed;
  for (let index = 1; index < SIZE; index++) {
    const last = state[index - 1];
    state[index] = Math.imul(1812433253, last ^ (last >>> 30)) + index;
  }
  return state;
}

function twist(state: Int32Array): void {
  for (let index = 0; index < SIZE; index++) {
    const joined = (state[index] & 0x80000000) | (state[(index + 1) % SIZE] & 0x7fffffff);
    state[index] = state[(index + REACH) % SIZE] ^ (joined >>> 1) ^ (-(joined & 1) & 0x9908b0df);
  }
}

function temper(state: Int32Array, words: Int32Array): void {
  for (let index = 0; index < SIZE; index++) {
    let word = state[index];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    words[index] = word ^ (word >>> 18);
  }
}
