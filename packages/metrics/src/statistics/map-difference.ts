import { ShapeError, type Tensor } from '@cambium/gpu-kernels';
import { spearman } from './agreement.ts';
import type { Value } from './values.ts';

/** How far two maps of the same thing are apart. */
export interface MapDifference {
  /** Largest |a − b| over the pixels. */
  readonly largest: number;
  /** Spearman's rank correlation of the pixels; null where either map is constant. */
  readonly spearman: Value;
}

/**
 * Compares a map with another of the same image, method, layer and target: computed in less precision, or elsewhere.
 *
 * @throws ShapeError when the shapes differ; RangeError when a pixel is NaN or infinite
 */
export function mapDifference(a: Tensor, b: Tensor): MapDifference {
  if (a.shape.join() !== b.shape.join()) {
    throw new ShapeError('mapDifference', `two maps of ${a.shape.join('×')}`, b.shape.join('×'));
  }
  const correlation = spearman(a.data, b.data); // refuses what is no number
  const largest = a.data.reduce((most, value, index) => Math.max(most, Math.abs(value - b.data[index])), 0);
  return { largest, spearman: correlation };
}
