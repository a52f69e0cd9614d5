import { type Tensor, tensor } from '../tensor.ts';

/**
 * Where the pixels of a resized map lie in the original. `half-pixel`: areas coincide (OpenCV, PyTorch's
 * align_corners=False). `corner-aligned`: corner pixels coincide (align_corners=True).
 */
export type ResizeConvention = 'half-pixel' | 'corner-aligned';

/** The two neighbours of a position along one axis and the share of the upper one. */
export interface Neighbours {
  readonly low: number;
  readonly high: number;
  /** In [0, 1). */
  readonly share: number;
}

/**
 * The neighbours that bilinear resizing from `from` to `to` pixels mixes at output pixel `index`.
 *
 * @source spec 0.3
 */
export function neighbours(index: number, from: number, to: number, convention: ResizeConvention): Neighbours {
  const position =
    convention === 'half-pixel'
      ? Math.max(((index + 0.5) * from) / to - 0.5, 0)
      : to === 1
        ? 0
        : (index * (from - 1)) / (to - 1);
  const low = Math.floor(position);
  return { low, high: Math.min(low + 1, from - 1), share: position - low };
}

/**
 * Bilinear resizing along one axis as a matrix: resized = matrix · original.
 *
 *     to×from, each row has at most two entries that are not 0 and sums to 1
 *
 * @source spec 0.3
 */
export function interpolationMatrix(from: number, to: number, convention: ResizeConvention): Tensor {
  const matrix = tensor(new Float32Array(to * from), [to, from]);
  for (let row = 0; row < to; row++) {
    const { low, high, share } = neighbours(row, from, to, convention);
    matrix.data[row * from + low] += 1 - share;
    matrix.data[row * from + high] += share;
  }
  return matrix;
}

/** One pixel of a map resized from height×width to outHeight×outWidth; the map begins at `offset`. */
export function sampleBilinear(
  map: Float32Array,
  offset: number,
  vertical: Neighbours,
  horizontal: Neighbours,
  width: number,
): number {
  const upper = offset + vertical.low * width;
  const lower = offset + vertical.high * width;
  const above = map[upper + horizontal.low] * (1 - horizontal.share) + map[upper + horizontal.high] * horizontal.share;
  const below = map[lower + horizontal.low] * (1 - horizontal.share) + map[lower + horizontal.high] * horizontal.share;
  return above * (1 - vertical.share) + below * vertical.share;
}
