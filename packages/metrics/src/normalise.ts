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
  /** The sum of all squares; 0 unless the second moment is the scale. */
  readonly squares: number;
  readonly count: number;
}

/** The extent of maps together, as far as the scale needs it. */
export function extentOf(maps: readonly Tensor[], normalise: Normalise): Extent {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  let squares = 0;
  let count = 0;
  if (normalise === 'none') return { least, largest, squares, count };
  for (const { data } of maps) {
    for (let index = 0; index < data.length; index++) {
      const value = data[index];
      if (value < least) least = value;
      if (value > largest) largest = value;
    }
    if (normalise === 'second-moment') squares = plusSquares(squares, data);
    count += data.length;
  }
  return { least, largest, squares, count };
}

/** A sum, and the squares of numbers added to it one by one. */
export function plusSquares(sum: number, numbers: Float32Array): number {
  let squares = sum;
  for (let index = 0; index < numbers.length; index++) squares += numbers[index] * numbers[index];
  return squares;
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
  return tensor(scaledPart(map.data, divisors(extent, options)), map.shape);
}

/** The subject's own map, scaled within its scope. */
export function subjectMap(subject: Subject, options: MapOptions): Tensor {
  return scaleMap(subject.map, scopeExtent(subject, options), options);
}

/** What the numbers of a map are divided by. */
interface Divisors {
  /** For those from 0. */
  readonly positive: number;
  /** For those below 0; below 0 itself where they become positive. */
  readonly negative: number;
}

/** A map and what scales it, for what need not hold several maps once again. */
export interface MapScaling extends Divisors {
  readonly data: Float32Array;
}

/** What makes `subjectMap`. */
export function mapScaling(subject: Subject, options: MapOptions): MapScaling {
  return { data: subject.map.data, ...divisors(scopeExtent(subject, options), options) };
}

/** A copy of some of a map's numbers, divided. */
export function scaledPart(values: Float32Array, { positive, negative }: Divisors): Float32Array<ArrayBuffer> {
  const scaled = new Float32Array(values);
  if (positive === -negative) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] = Math.abs(scaled[pixel]) / positive;
  } else if (positive !== negative) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] /= scaled[pixel] < 0 ? negative : positive;
  } else if (positive !== 1) {
    for (let pixel = 0; pixel < scaled.length; pixel++) scaled[pixel] /= positive;
  }
  return scaled;
}

function scopeExtent(subject: Subject, { normalise, normaliseScope }: MapOptions): Extent {
  const maps = normaliseScope === 'image' ? [subject.map] : companionsOf(subject).map(({ map }) => map);
  return extentOf(maps, normalise);
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

function divisors(extent: Extent, { normalise, absolute }: Pick<MapOptions, 'normalise' | 'absolute'>): Divisors {
  const [positive, negative] = scalesOf(extent, normalise);
  return { positive, negative: absolute ? -negative : negative };
}

/** The scales of a map's positive and negative numbers. */
function scalesOf({ least, largest, squares, count }: Extent, normalise: Normalise): [number, number] {
  if (normalise === 'none') return [1, 1];
  if (normalise === 'negative') return [largest > 0 ? largest : 1, least < 0 ? -least : 1];
  const scale = normalise === 'max' ? Math.max(-least, largest) : Math.sqrt(squares / count);
  return scale > 0 ? [scale, scale] : [1, 1];
}
