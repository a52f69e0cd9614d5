import type { Random, Tensor } from '@cambium/gpu-kernels';

/** Most relevant first, least relevant first, or at random. */
export type NamedOrder = 'morf' | 'lerf' | 'random';
/** An order by name, or a given one of indices. */
export type Order = NamedOrder | readonly number[];

/**
 * Indices of values in order. Equal values keep their ascending index, so that results repeat exactly.
 *
 * @source spec 0.5
 */
export function ordered(values: ArrayLike<number>, direction: 'descending' | 'ascending'): Uint32Array<ArrayBuffer> {
  if (values instanceof Float32Array) return radixOrdered(keysOf(values, direction)).order;
  const indices = Uint32Array.from({ length: values.length }, (_, index) => index);
  return direction === 'descending'
    ? indices.sort((a, b) => values[b] - values[a] || a - b)
    : indices.sort((a, b) => values[a] - values[b] || a - b);
}

/** Indices of numbers in ascending order, and what tells equal ones, side by side in that order. */
export function ascending(values: ArrayLike<number>): {
  readonly order: Uint32Array;
  readonly keys: ArrayLike<number>;
} {
  if (values instanceof Float32Array) return radixOrdered(keysOf(values, 'ascending'));
  const order = ordered(values, 'ascending');
  return { order, keys: Float64Array.from(order, (index) => values[index]) };
}

/** Numbers in ascending order; −0 becomes 0. */
export function ascendingValues(values: Float32Array): Float32Array<ArrayBuffer> {
  const keys = keysOf(values, 'ascending');
  let [from, to] = [keys, new Uint32Array(keys.length)];
  for (const [pass, places] of digitStarts(keys).entries()) {
    const shift = DIGIT * pass;
    for (let at = 0; at < from.length; at++) {
      const key = from[at];
      to[places[(key >>> shift) & DIGITS]++] = key;
    }
    [from, to] = [to, from];
  }
  for (let at = 0; at < from.length; at++) from[at] ^= (~from[at] >> 31) | 0x80000000; // what keysOf did, undone
  return new Float32Array(from.buffer);
}

/** Whole numbers that are ordered as the values are: their bits, turned round where they are negative. */
function keysOf(values: Float32Array, direction: 'descending' | 'ascending'): Uint32Array<ArrayBuffer> {
  const numbers = new Float32Array(values.length);
  for (let index = 0; index < numbers.length; index++) numbers[index] = values[index] + 0; // −0 becomes 0: they are equal
  const keys = new Uint32Array(numbers.buffer);
  const turn = direction === 'descending' ? -1 : 0;
  for (let index = 0; index < keys.length; index++) keys[index] ^= ((keys[index] >> 31) | 0x80000000) ^ turn;
  return keys;
}

/**
 * Indices of keys in ascending order, and the keys in it, by their digits of 11 bits from the lowest: a map takes a tenth of
 * comparing. The keys travel with their indices, so that only the writing goes to and fro in memory.
 */
function radixOrdered(keys: Uint32Array<ArrayBuffer>): {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly keys: Uint32Array;
} {
  const ends = digitStarts(keys);
  let [from, to] = [keys, new Uint32Array(keys.length)];
  let [order, next] = [new Uint32Array(keys.length), new Uint32Array(keys.length)];
  for (let index = 0; index < order.length; index++) order[index] = index;
  for (const [pass, places] of ends.entries()) {
    const shift = DIGIT * pass;
    for (let at = 0; at < order.length; at++) {
      const key = from[at];
      const place = places[(key >>> shift) & DIGITS]++;
      to[place] = key;
      next[place] = order[at];
    }
    [from, to] = [to, from];
    [order, next] = [next, order];
  }
  return { order, keys: from };
}

/** Bits of a digit, and the largest one. */
const DIGIT = 11;
const DIGITS = 2 ** DIGIT - 1;

/** Where the first key of each digit goes, for the three digits. */
function digitStarts(keys: Uint32Array): readonly Uint32Array[] {
  const [low, middle, high] = Array.from({ length: 3 }, () => new Uint32Array(DIGITS + 1));
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index];
    low[key & DIGITS]++;
    middle[(key >>> DIGIT) & DIGITS]++;
    high[key >>> (2 * DIGIT)]++;
  }
  for (const counts of [low, middle, high]) {
    let start = 0;
    for (let digit = 0; digit < counts.length; digit++) {
      const count = counts[digit];
      counts[digit] = start;
      start += count;
    }
  }
  return [low, middle, high];
}

/**
 * Features (numbers of C×H×W) in the order of the map broadcast to all channels.
 *
 *     map H×W  →  C·H·W flat feature indices
 *
 * Equal relevance, such as that of one pixel's channels, keeps ascending feature index: channel by channel.
 */
export function orderFeatures(
  map: Tensor,
  channels: number,
  direction: 'descending' | 'ascending',
): Uint32Array<ArrayBuffer> {
  const pixels = ordered(map.data, direction);
  const size = pixels.length;
  const features = new Uint32Array(channels * size);
  let end = 0;
  for (let start = 0, next = 0; start < size; start = next) {
    while (next < size && map.data[pixels[next]] === map.data[pixels[start]]) next++;
    for (let channel = 0; channel < channels; channel++) {
      for (let tied = start; tied < next; tied++) features[end++] = channel * size + pixels[tied];
    }
  }
  return features;
}

/** Puts items of these sums in order. A given order may leave items out. */
export function orderBy(order: Order, sums: ArrayLike<number>, random: Random): Uint32Array<ArrayBuffer> {
  if (order === 'morf') return ordered(sums, 'descending');
  if (order === 'lerf') return ordered(sums, 'ascending');
  return order === 'random' ? random.permutation(sums.length) : Uint32Array.from(order);
}

/** @throws RangeError unless the order is named or lists different indices below `count` */
export function requireOrder(metric: string, order: Order, count: number): void {
  if (order === 'morf' || order === 'lerf' || order === 'random') return;
  const listed = Array.isArray(order) && order.length > 0 && new Set(order).size === order.length;
  if (listed && order.every((index) => Number.isInteger(index) && index >= 0 && index < count)) return;
  throw new RangeError(
    `${metric} expected order to be morf, lerf, random or a list of different region indices in [0, ${count - 1}], got ${String(order)}.`,
  );
}

/** Cuts an order into consecutive groups of `size`; the last may be shorter. */
export function cut(order: Uint32Array, size: number): Uint32Array[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, group) =>
    order.subarray(group * size, (group + 1) * size),
  );
}
