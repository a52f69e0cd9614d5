import type { Random, Tensor } from '@cambium/gpu-kernels';

/** Most relevant first, least relevant first, at random, or a given order of indices. */
export type Order = 'morf' | 'lerf' | 'random' | readonly number[];

/**
 * Indices of values in order. Equal values keep their ascending index, so that results repeat exactly.
 *
 * @source spec 0.5
 */
export function ordered(values: ArrayLike<number>, direction: 'descending' | 'ascending'): Uint32Array<ArrayBuffer> {
  if (values instanceof Float32Array) return radixOrdered(keysOf(values, direction));
  const indices = Uint32Array.from({ length: values.length }, (_, index) => index);
  return direction === 'descending'
    ? indices.sort((a, b) => values[b] - values[a] || a - b)
    : indices.sort((a, b) => values[a] - values[b] || a - b);
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

/** Indices of keys in ascending order, by their digits of 11 bits from the lowest: a map takes a tenth of comparing. */
function radixOrdered(keys: Uint32Array): Uint32Array<ArrayBuffer> {
  let order = new Uint32Array(keys.length);
  let next = new Uint32Array(keys.length);
  for (let index = 0; index < order.length; index++) order[index] = index;
  for (const shift of [0, 11, 22]) {
    const ends = new Uint32Array(2 ** 11 + 1); // where the next key of a digit goes, one digit further up
    for (let index = 0; index < keys.length; index++) ends[((keys[index] >>> shift) & 0x7ff) + 1]++;
    for (let digit = 1; digit < ends.length; digit++) ends[digit] += ends[digit - 1];
    for (let at = 0; at < order.length; at++) next[ends[(keys[order[at]] >>> shift) & 0x7ff]++] = order[at];
    [order, next] = [next, order];
  }
  return order;
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
