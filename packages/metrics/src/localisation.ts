import { scaledAlone } from './noisy-maps.ts';
import { requireChoice } from './options.ts';
import type { Score, Subject } from './types.ts';

/** Options that every metric with a mask of the object has. */
export interface LocalisationOptions {
  /** Whether the map's magnitudes count instead of its values. */
  readonly absolute: boolean;
}

/** A map and a mask of the object that is not empty. */
export interface Located {
  /** H·W, as values or magnitudes. */
  readonly values: Float32Array;
  /** H·W of zeros and ones. */
  readonly inside: Float32Array;
  /** Pixels of the object, from 1 to H·W. */
  readonly size: number;
  readonly height: number;
  readonly width: number;
}

/** @throws RangeError naming option, value and range */
export function checkLocalisation(metric: string, { absolute }: LocalisationOptions): void {
  requireChoice(metric, 'absolute', absolute, [true, false]);
}

/** What localisation costs: nothing. */
export const noCost = { forwards: 0, explanations: 0, shared: {} } as const;

/**
 * Scores where relevance lies, or says that the mask is empty.
 *
 * @param measure a number, or why there is none
 */
export function locate(
  { map, mask }: Subject,
  { absolute }: LocalisationOptions,
  measure: (located: Located) => number | string,
): Score {
  const inside = mask?.data ?? new Float32Array(); // `needs` has seen to it that there is a mask
  let size = 0;
  for (const value of inside) size += value;
  if (size === 0) return { value: null, reason: 'The mask is empty: there is no object to find.' };
  const values = scaledAlone(map, { normalise: 'none', absolute }).data;
  const result = measure({ values, inside, size, height: map.shape[0], width: map.shape[1] });
  return typeof result === 'number' ? { value: result } : { value: null, reason: result };
}

/** How many of the first `count` pixels of an order lie inside the mask. */
export function countInside(order: Uint32Array, count: number, inside: Float32Array): number {
  let found = 0;
  for (let position = 0; position < count; position++) found += inside[order[position]];
  return found;
}
