import { numpyRandom, type Random, rows, type Tensor } from '@cambium/gpu-kernels';
import { explainEach } from './explanations.ts';
import { extentOf, type Normalise, scaleMap } from './normalise.ts';
import { requireChoice, requireWhole } from './options.ts';
import { defaultBatchSize, copies as repeated } from './outputs.ts';
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

/** Copies that are alive at once, and their images side by side, N×C×H×W. */
export interface NoisyBatch {
  readonly images: Tensor;
  readonly copies: readonly NoisyCopy[];
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
 * Explains noisy copies of the subject's image and yields them a batch at a time, in the same memory as the next, so memory is
 * one batch whatever their number. Noise is drawn copy by copy, each in row-major order, so that the batch size changes
 * nothing.
 */
export async function* noisyCopies(subject: Subject, options: NoiseOptions, noise: Noise): AsyncGenerator<NoisyBatch> {
  const random = subject.random ?? numpyRandom(0);
  const batch = Math.min(subject.batchSize ?? defaultBatchSize, options.samples);
  const room = repeated(subject.image, batch);
  for (let start = 0; start < options.samples; start += batch) {
    const count = Math.min(batch, options.samples - start);
    const copies: NoisyCopy[] = [];
    await explainEach(subject, {
      count,
      room,
      write: (_, pixels) => noise(pixels, random),
      visit: (_, map, image) => copies.push({ image, map: scaledAlone(map, options) }),
    });
    yield { images: rows(room, 0, count), copies };
  }
}

/** A map scaled by itself. */
export function scaledAlone(map: Tensor, options: Pick<NoiseOptions, 'normalise' | 'absolute'>): Tensor {
  const unchanged = options.normalise === 'none' && !options.absolute;
  return unchanged ? map : scaleMap(map, extentOf([map], options.normalise), options);
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
