import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { requireChoice } from './options.ts';
import type { Subject } from './types.ts';

/**
 * How a map is scaled: by its largest magnitude; positives by the maximum and negatives by the minimum's magnitude; by
 * the square root of the mean square; or not.
 */
export type Normalise = 'max' | 'negative' | 'second-moment' | 'none';

/**
 * Over which maps the scale is taken. `image`: each map by itself, which is what Quantus does called with one image at a
 * time. `batch`: maps of all companions together, explained anew where a metric explains anew. `dataset`: the given
 * map over the maps of all companions, and maps explained anew by themselves.
 */
export type NormaliseScope = 'image' | 'batch' | 'dataset';

/** How a metric prepares maps: first scaled, then, where asked for, made positive. */
export interface MapOptions {
  readonly normalise: Normalise;
  readonly normaliseScope: NormaliseScope;
  readonly absolute: boolean;
}

/** Quantus's defaults, per image. */
export const mapDefaults = { normalise: 'max', normaliseScope: 'image', absolute: false } satisfies MapOptions;

/** @throws RangeError for a value that is none of the choices */
export function checkMapOptions(metric: string, { normalise, normaliseScope, absolute }: MapOptions): void {
  requireChoice(metric, 'normalise', normalise, ['max', 'negative', 'second-moment', 'none']);
  requireChoice(metric, 'normaliseScope', normaliseScope, ['image', 'batch', 'dataset']);
  requireChoice(metric, 'absolute', absolute, [true, false]);
}

/** What the scale of a map, or of several together, is made of. */
export interface Extent {
  readonly least: number;
  readonly largest: number;
  readonly squares: number;
  readonly count: number;
}

/** The extent of maps together. */
export function extentOf(maps: readonly Tensor[]): Extent {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  let squares = 0;
  let count = 0;
  for (const { data } of maps) {
    for (let index = 0; index < data.length; index++) {
      const value = data[index];
      if (value < least) least = value;
      if (value > largest) largest = value;
      squares += value * value;
    }
    count += data.length;
  }
  return { least, largest, squares, count };
}

/** The extent of everything that either covers. */
export function joinExtents(left: Extent, right: Extent): Extent {
  return {
    least: Math.min(left.least, right.least),
    largest: Math.max(left.largest, right.largest),
    squares: left.squares + right.squares,
    count: left.count + right.count,
  };
}

/**
 * Scales a map by an extent and, where asked for, makes it positive. A map of zeros stays as it is, and so does a sign
 * that does not occur in the extent: no division by zero.
 *
 *     map H×W  →  H×W
 *
 * @source spec 2.0, points 3 and 4
 */
export function scaleMap(map: Tensor, extent: Extent, options: Pick<MapOptions, 'normalise' | 'absolute'>): Tensor {
  return tensor(scaledPart(map.data, divisors(extent, options.normalise), options.absolute), map.shape);
}

/** The subject's own map, scaled within its scope. */
export function subjectMap(subject: Subject, options: MapOptions): Tensor {
  return scaleMap(subject.map, scopeExtent(subject, options), options);
}

/** A map that is scaled a part at a time, for what need not hold several maps once again. */
export interface MapScaling {
  readonly size: number;
  /** The scaled numbers from one pixel to before another. */
  scaled(start: number, end: number): Float32Array<ArrayBuffer>;
}

/** `subjectMap`, a part at a time. */
export function mapScaling(subject: Subject, options: MapOptions): MapScaling {
  const { data } = subject.map;
  const by = divisors(scopeExtent(subject, options), options.normalise);
  return {
    size: data.length,
    scaled: (start, end) => scaledPart(data.subarray(start, end), by, options.absolute),
  };
}

function scopeExtent(subject: Subject, { normalise, normaliseScope }: MapOptions): Extent {
  if (normalise === 'none') return extentOf([]);
  return extentOf(normaliseScope === 'image' ? [subject.map] : companionsOf(subject).map(({ map }) => map));
}

function scaledPart(
  values: Float32Array,
  [positive, negative]: readonly [number, number],
  absolute: boolean,
): Float32Array<ArrayBuffer> {
  const scaled = new Float32Array(values);
  const sign = absolute ? -1 : 1; // of what is below 0
  if (positive !== negative) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] /= scaled[pixel] < 0 ? sign * negative : positive;
  } else if (absolute) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] = Math.abs(scaled[pixel]) / positive;
  } else if (positive !== 1) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] /= positive;
  }
  return scaled;
}

/** The subjects scored together with this one; itself alone where it names none. */
export function companionsOf(subject: Subject): readonly Subject[] {
  return subject.companions ?? [subject];
}

/** Position of a subject among its companions, by image, map and target; −1 where it is not one of them. */
export function placeOf(subject: Subject): number {
  return companionsOf(subject).findIndex(
    ({ image, map, target }) => image === subject.image && map === subject.map && target === subject.target,
  );
}

function divisors({ least, largest, squares, count }: Extent, normalise: Normalise): [number, number] {
  if (normalise === 'none') return [1, 1];
  if (normalise === 'negative') return [largest > 0 ? largest : 1, least < 0 ? -least : 1];
  const scale = normalise === 'max' ? Math.max(-least, largest) : Math.sqrt(squares / count);
  return scale > 0 ? [scale, scale] : [1, 1];
}
