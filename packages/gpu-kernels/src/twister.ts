import { drawPartners, startOfSwapped, swapped } from './swaps.ts';

/** Words of the state. */
const SIZE = 624;
/** A word is made of itself, the next one and the one so many further on. */
const REACH = 397;

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
 * The Mersenne Twister MT19937. Noise for images takes hundreds of thousands of numbers, so words, uniform and normal
 * numbers are made a block at a time in loops over typed arrays, and draws only read them.
 *
 * @param seed 32 bits
 * @source Matsumoto and Nishimura 1998, doi 10.1145/272991.272995
 */
export function twister(seed: number): Twister {
  const state = seeded(seed);
  const words = new Int32Array(SIZE);
  const uniforms = new Float64Array(SIZE / 2);
  const pairs = emptyPairs();
  const kept = Float64Array.of(0); // a variable would make an object of every number
  let at = SIZE;
  let keeping = false;
  let joined = false;
  const next = () => {
    twist(state);
    temper(state, words);
    pairs.from = -1;
    joined = false;
    at = 0;
  };
  const join = () => {
    joinWords(words, uniforms);
    joined = true;
  };
  const word = () => {
    if (at === SIZE) next();
    return words[at++];
  };
  const uniform = () => {
    if (at === SIZE) next();
    if ((at & 1) === 1) return uniformOf(word(), word()); // an odd number of words is gone: other pairs
    if (!joined) join();
    at += 2;
    return uniforms[(at >> 1) - 1];
  };
  const normal = (): number => {
    keeping = !keeping;
    if (!keeping) return kept[0];
    for (;;) {
      if (at === SIZE) next();
      if (!joined) join();
      if (pairs.from !== at) findPairs(pairs, uniforms, at);
      if (pairs.next < pairs.count) {
        at = pairs.ends[pairs.next];
        pairs.from = at;
        kept[0] = pairs.seconds[pairs.next];
        return pairs.firsts[pairs.next++];
      }
      // no pair is left that lies in this block
      at = pairs.tail;
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const squared = x * x + y * y;
      if (squared === 0 || squared >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(squared)) / squared);
      kept[0] = scale * x;
      return scale * y;
    }
  };
  let partners = new Uint32Array(0);
  const permutation = (count: number, first = count) => {
    if (partners.length !== count) partners = new Uint32Array(count);
    for (let place = count - 1; place > 0; ) {
      if (at === SIZE) next();
      const step = drawPartners(partners, place, words.subarray(at));
      place = step.place;
      at += step.used;
    }
    return first < Math.min(count / 8, 0xffff) ? startOfSwapped(partners, first) : swapped(partners).slice(0, first);
  };
  const addUniform = (numbers: Float32Array, low: number, high: number) => {
    let index = 0;
    while (index < numbers.length) {
      numbers[index++] += low + (high - low) * uniform(); // joins the words of a new block
      if ((at & 1) === 1) continue;
      const many = Math.min(numbers.length - index, (SIZE - at) / 2);
      addScaled(numbers.subarray(index, index + many), uniforms.subarray(at / 2), { low, span: high - low });
      index += many;
      at += 2 * many;
    }
  };
  const addNormal = (numbers: Float32Array, deviation: number) => {
    let index = 0;
    while (index < numbers.length) {
      numbers[index++] += deviation * normal(); // finds the pairs of a new block
      if (keeping || pairs.from !== at) continue;
      const many = Math.min((numbers.length - index) >> 1, pairs.count - pairs.next);
      if (many === 0) continue;
      addPairs(numbers.subarray(index, index + 2 * many), pairs, deviation);
      index += 2 * many;
      pairs.next += many;
      at = pairs.ends[pairs.next - 1];
      pairs.from = at;
    }
  };
  return { word, uniform, normal, permutation, addUniform, addNormal };
}

function addScaled(numbers: Float32Array, uniforms: Float64Array, { low, span }: { low: number; span: number }): void {
  for (let index = 0; index < numbers.length; index++) numbers[index] += low + span * uniforms[index];
}

function addPairs(numbers: Float32Array, { firsts, seconds, next }: Pairs, deviation: number): void {
  for (let index = 0, pair = next; index < numbers.length; index += 2, pair++) {
    numbers[index] += deviation * firsts[pair];
    numbers[index + 1] += deviation * seconds[pair];
  }
}

/** Pairs of normal numbers that the rest of a block holds. */
interface Pairs {
  /** The place in the block that the next pair is sought from, −1 for none. */
  from: number;
  /** The next pair that has not been drawn. */
  next: number;
  count: number;
  /** Where the block has no more candidates. */
  tail: number;
  readonly firsts: Float64Array;
  readonly seconds: Float64Array;
  readonly squares: Float64Array;
  /** The place after each pair. */
  readonly ends: Int32Array;
}

function emptyPairs(): Pairs {
  const numbers = () => new Float64Array(SIZE / 4 + 1);
  const ends = new Int32Array(SIZE / 4 + 1);
  return { from: -1, next: 0, count: 0, tail: 0, firsts: numbers(), seconds: numbers(), squares: numbers(), ends };
}

/**
 * The polar method of Marsaglia on the points (x, y) of a block, of which those in the unit circle are kept: a place is
 * written by every point and passed by those, for no processor could foresee which.
 */
function findPairs(pairs: Pairs, uniforms: Float64Array, at: number): void {
  const { firsts, seconds, squares, ends } = pairs;
  let count = 0;
  const none = (at & 1) === 1; // after an odd number of words no uniform number lies as it should
  let pair = at >> 1;
  for (; pair + 1 < uniforms.length && !none; pair += 2) {
    const x = 2 * uniforms[pair] - 1;
    const y = 2 * uniforms[pair + 1] - 1;
    const squared = x * x + y * y;
    if (squared === 0) continue;
    firsts[count] = y;
    seconds[count] = x;
    squares[count] = squared;
    ends[count] = 2 * pair + 4;
    count += 1 >> squared; // 1 below 1, else 0
  }
  for (let index = 0; index < count; index++) {
    const scale = Math.sqrt((-2 * Math.log(squares[index])) / squares[index]);
    firsts[index] *= scale;
    seconds[index] *= scale;
  }
  pairs.count = count;
  pairs.next = 0;
  pairs.from = at;
  pairs.tail = none ? at : 2 * pair;
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
  const first = SIZE - REACH;
  for (let index = 0; index < first; index++) {
    state[index] = state[index + REACH] ^ mixed(state[index], state[index + 1]);
  }
  for (let index = first; index < SIZE - 1; index++) {
    state[index] = state[index - first] ^ mixed(state[index], state[index + 1]);
  }
  state[SIZE - 1] = state[REACH - 1] ^ mixed(state[SIZE - 1], state[0]);
}

/** The highest bit of one word and the others of the next, times the twist's matrix. */
function mixed(word: number, next: number): number {
  const joined = (word & 0x80000000) | (next & 0x7fffffff);
  return (joined >>> 1) ^ (-(joined & 1) & 0x9908b0df);
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

function joinWords(words: Int32Array, uniforms: Float64Array): void {
  for (let index = 0; index < uniforms.length; index++) {
    uniforms[index] = uniformOf(words[2 * index], words[2 * index + 1]);
  }
}

function uniformOf(first: number, second: number): number {
  return (first >>> 5) * 2 ** -27 + (second >>> 6) * 2 ** -53;
}
