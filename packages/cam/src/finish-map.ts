import { compute, minMax, positivePart, type Tensor, upsampleBilinear, zeros } from '@cambium/gpu-kernels';
import type { MapFinish } from './types.ts';

/**
 * Brings a raw map to the size of the image and, unless the finish says otherwise, to [0, 1].
 *
 *     h×w, signed  →  H×W
 *
 * A constant map has no contrast to show: it becomes all zeros and `degenerate` is true, never NaN.
 */
export function finishMap(
  coarse: Tensor,
  { relu, minMax: when, resize, epsilon }: MapFinish,
  size: readonly [number, number],
): { map: Tensor; degenerate: boolean } {
  const evidence = relu ? compute(positivePart, { input: coarse }, undefined) : coarse;
  if (evidence.data.every((value) => value === evidence.data[0])) return { map: zeros(...size), degenerate: true };
  const scaled =
    when === 'before-resize' || when === 'both' ? compute(minMax, { input: evidence }, { epsilon }) : evidence;
  const large = compute(upsampleBilinear, { input: scaled }, { size, convention: resize });
  const map = when === 'after-resize' || when === 'both' ? compute(minMax, { input: large }, { epsilon }) : large;
  return { map, degenerate: map.data.every((value) => value === map.data[0]) };
}
