import { numpyRandom, type Random, type Tensor } from '@cambium/gpu-kernels';
import { explainEach } from './explanations.ts';
import { extentOf, type Normalise, scaleMap } from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { defaultBatchSize } from './outputs.ts';
import type { Subject } from './types.ts';

/** Options that every metric with noisy copies of the image has. */
export interface NoiseOptions {
  /** Noisy copies of the image. */
  readonly samples: number;
  /** Each map is scaled by itself, before `absolute`. */
  readonly normalise: Normalise;
  readonly absolute: boolean;
}

/** A noisy copy of the image, C×H×W, and its map, H×W, scaled as the options say. */
export interface NoisyCopy {
  readonly image: Tensor;
  readonly map: Tensor;
}

/** @throws RangeError naming option, value and range */
export function checkNoiseOptions(metric: string, { samples, normalise, absolute }: NoiseOptions): void {
  requireWhole(metric, 'samples', samples, 1);
  requireChoice(metric, 'normalise', normalise, ['max', 'negative', 'second-moment', 'none']);
  requireChoice(metric, 'absolute', absolute, [true, false]);
}

/** Adds noise to the numbers of an image, in their order. */
export type Noise = (pixels: Float32Array, random: Random) => void;

/** Noise that is uniform in [low, high). */
export function uniformNoise(low: number, high: number): Noise {
  return (pixels, random) => {
    if (random.addUniform) return random.addUniform(pixels, low, high);
    for (let index = 0; index < pixels.length; index++) pixels[index] += random.uniformBetween(low, high);
  };
}

/** Normal noise of this standard deviation. */
export function normalNoise(deviation: number): Noise {
  return (pixels, random) => {
    if (random.addNormal) return random.addNormal(pixels, deviation);
    for (let index = 0; index < pixels.length; index++) pixels[index] += deviation * random.normal();
  };
}

/**
 * Explains noisy copies of the subject's image and yields them a batch at a time, so memory is one batch whatever their
 * number. Noise is drawn copy by copy, each in row-major order, so that the batch size changes nothing.
 */
export async function* noisyCopies(
  subject: Subject,
  options: NoiseOptions,
  noise: Noise,
): AsyncGenerator<readonly NoisyCopy[]> {
  const random = subject.random ?? numpyRandom(0);
  const batch = subject.batchSize ?? defaultBatchSize;
  for (let start = 0; start < options.samples; start += batch) {
    const copies: NoisyCopy[] = [];
    await explainEach(subject, {
      count: Math.min(batch, options.samples - start),
      write: (_, pixels) => noise(pixels, random),
      visit: (_, map, image) => copies.push({ image, map: scaledAlone(map, options) }),
    });
    yield copies;
  }
}

/** A map scaled by itself. */
export function scaledAlone(map: Tensor, options: Pick<NoiseOptions, 'normalise' | 'absolute'>): Tensor {
  const unchanged = options.normalise === 'none' && !options.absolute;
  return unchanged ? map : scaleMap(map, extentOf(options.normalise === 'none' ? [] : [map]), options);
}

/** Euclidean norm of the difference of two tensors of one size. */
export function distance(a: Tensor, b: Tensor): number {
  let squares = 0;
  const [left, right] = [a.data, b.data];
  for (let index = 0; index < left.length; index++) {
    const difference = left[index] - right[index];
    squares += difference * difference;
  }
  return Math.sqrt(squares);
}
