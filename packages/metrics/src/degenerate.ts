import type { Tensor } from '@cambium/gpu-kernels';

/**
 * Why a map ranks nothing and so cannot be scored, or undefined where it can: it is all zeros, constant, or negative
 * everywhere.
 *
 * @source spec 2.0, point 2: the maps that Quantus refuses
 */
export function degeneracy(map: Tensor): string | undefined {
  const first = map.data[0];
  let constant = true;
  let negative = true;
  for (let pixel = 0; pixel < map.data.length; pixel++) {
    const value = map.data[pixel];
    if (value !== first) constant = false;
    if (!(value < 0)) negative = false;
    if (!constant && !negative) return undefined;
  }
  if (constant) return first === 0 ? 'the map is zero everywhere' : `the map is constant (${first} everywhere)`;
  return negative ? 'the map is negative everywhere' : undefined;
}
