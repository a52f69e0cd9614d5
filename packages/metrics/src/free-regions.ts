import type { Random, Tensor } from '@cambium/gpu-kernels';
import { type NamedOrder, orderBy } from './order.ts';

/** A square of pixels anywhere in an image. */
export interface FreeRegion {
  /** Flat index of its first pixel, row·W + column. */
  readonly corner: number;
  /** Its features in all channels. */
  readonly features: Uint32Array<ArrayBuffer>;
}

/** Which regions to choose. */
export interface FreeRequest {
  /** Side in pixels. */
  readonly size: number;
  /** Regions to choose at most. */
  readonly limit: number;
  readonly order: NamedOrder;
  readonly random: Random;
}

/**
 * Chooses squares at free positions, one after the other in the order of the relevance in them, of which none overlaps another.
 *
 *     map H×W  →  at most ⌊H/size⌋·⌊W/size⌋ regions
 *
 * Of squares of equal relevance the upper, then the left one comes first.
 *
 * @source Samek et al. 2017, arXiv 1509.06321, section III
 */
export function freeRegions(map: Tensor, channels: number, { size, limit, order, random }: FreeRequest): FreeRegion[] {
  const [height, width] = map.shape;
  const [rows, columns] = [height - size + 1, width - size + 1];
  const blocked = new Uint8Array(rows * columns);
  const chosen: FreeRegion[] = [];
  for (const position of orderBy(order, windowSums(map, size), random)) {
    if (chosen.length === limit) break;
    if (blocked[position]) continue;
    const [row, column] = [Math.floor(position / columns), position % columns];
    for (let y = Math.max(0, row - size + 1); y < Math.min(rows, row + size); y++) {
      const [from, to] = [Math.max(0, column - size + 1), Math.min(columns, column + size)];
      blocked.fill(1, y * columns + from, y * columns + to);
    }
    const corner = row * width + column;
    chosen.push({ corner, features: featuresAt(corner, { size, width, channels, pixels: height * width }) });
  }
  return chosen;
}

/** Most squares of which none overlaps another. */
export function mostFreeRegions([, height, width]: readonly number[], size: number): number {
  return Math.floor(height / size) * Math.floor(width / size);
}

/** Relevance of every square, added up in one order, so that equal squares have equal sums: along rows, then down columns. */
function windowSums({ data, shape: [height, width] }: Tensor, size: number): Float64Array {
  const [rows, columns] = [height - size + 1, width - size + 1];
  const across = new Float64Array(height * columns);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let step = 0; step < size; step++) sum += data[row * width + column + step];
      across[row * columns + column] = sum;
    }
  }
  const sums = new Float64Array(rows * columns);
  for (let index = 0; index < sums.length; index++) {
    for (let step = 0; step < size; step++) sums[index] += across[index + step * columns];
  }
  return sums;
}

function featuresAt(
  corner: number,
  { size, width, channels, pixels }: { size: number; width: number; channels: number; pixels: number },
): Uint32Array<ArrayBuffer> {
  const features = new Uint32Array(channels * size * size);
  let end = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) features[end++] = channel * pixels + corner + row * width + column;
    }
  }
  return features;
}
