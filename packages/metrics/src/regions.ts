import type { Shape, Tensor } from '@cambium/gpu-kernels';
import { requireWhole } from './options.ts';

/** A grid of square regions over an image. */
export interface Regions {
  readonly count: number;
  /** Region of each pixel, H·W. */
  readonly of: Uint32Array;
  /** How often each pixel stands in the padded image, H·W: more than once only on an edge that was replicated. */
  readonly weights: Uint32Array;
}

/**
 * Cuts an image into square regions, row by row.
 *
 *     H×W  →  ⌈H/size⌉·⌈W/size⌉ regions
 *
 * Where the size does not divide a side, the image is seen as padded by its edge, half of the padding (rounded down)
 * before it: so the first and the last regions of that side are smaller.
 *
 * @param size side of a region in pixels, at least 1
 * @source spec 2.1, steps 2 to 4
 */
export function gridRegions(height: number, width: number, size: number): Regions {
  const rows = axisOf(height, size);
  const columns = axisOf(width, size);
  const regionOf = new Uint32Array(height * width);
  const weights = new Uint32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const block = Math.floor((row + rows.before) / size) * columns.count;
      regionOf[row * width + column] = block + Math.floor((column + columns.before) / size);
      weights[row * width + column] = multiplicity(row, rows) * multiplicity(column, columns);
    }
  }
  return { count: rows.count * columns.count, of: regionOf, weights };
}

/** Relevance of each region: the sum of the map in it. */
export function regionSums(map: Tensor, regions: Regions): Float64Array {
  const sums = new Float64Array(regions.count);
  for (let pixel = 0; pixel < map.data.length; pixel++) sums[regions.of[pixel]] += map.data[pixel];
  return sums;
}

/** How many regions of a size an image C×H×W has. */
export function regionCount([, height, width]: Shape, size: number): number {
  return Math.ceil(height / size) * Math.ceil(width / size);
}

/** @throws RangeError unless a region of this size fits into the image C×H×W */
export function requirePatchSize(metric: string, size: number, [, height, width]: Shape): void {
  requireWhole(metric, 'patchSize', size, 1, Math.min(height, width));
}

interface Axis {
  readonly length: number;
  readonly count: number;
  readonly before: number;
  readonly after: number;
}

function axisOf(length: number, size: number): Axis {
  const total = (size - (length % size)) % size;
  const before = Math.floor(total / 2);
  return { length, count: (length + total) / size, before, after: total - before };
}

function multiplicity(position: number, { length, before, after }: Axis): number {
  return 1 + (position === 0 ? before : 0) + (position === length - 1 ? after : 0);
}
