import type { Tensor } from '@cambium/gpu-kernels';

/**
 * Why a map ranks nothing and so cannot be scored, or undefined where it can: it is all zeros, constant, or negative
 * everywhere.
 *
 * @source spec 2.0, point 2: the maps that Quantus refuses
 */
export function degeneracy(map: Tensor): string | undefined {
  const first = map.data[0];
  if (map.data.every((value) => value === first)) {
    return first === 0 ? 'the map is zero everywhere' : `the map is constant (${first} everywhere)`;
  }
  return map.data.every((value) => value < 0) ? 'the map is negative everywhere' : undefined;
}
