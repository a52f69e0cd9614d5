import {
  compute,
  minMax,
  type Predict,
  positivePart,
  type Random,
  rows,
  type Tensor,
  tensor,
  upsampleBilinear,
  zeros,
} from '@cambium/gpu-kernels';
import { type GoldenSet, goldenSet, goldenTiny } from '../../../gpu-kernels/test/support/golden.ts';
import type { Subject } from '../../src/types.ts';

const cam = goldenSet('cam');
/** The golden metrics, with the mask that their real maps were scored with, in words. */
export const golden = goldenSet('metrics') as GoldenSet & { readonly mask: string }; // the manifest says so

/** A hand-sized case, `tiny/quantus_tiny.json`: a linear model on images of 3×4×6. */
export interface TinyCase {
  readonly x: readonly number[][][][];
  readonly w: readonly number[][];
  readonly y: readonly number[];
  readonly a: readonly number[][][][];
  readonly s: readonly number[][][][];
  readonly batch: { readonly [name: string]: readonly number[] };
}

export const tiny = goldenTiny<TinyCase>('quantus_tiny');

/** The subjects of the hand-sized case; they explain by the positive part of image times weight, summed over channels. */
export function tinySubjects(): Subject[] {
  const weights = tiny.w.map((row) => Float32Array.from(row));
  return tiny.y.map((target, index) => ({
    image: nested(tiny.x[index]),
    target,
    map: nested(tiny.a[index][0]),
    mask: nested(tiny.s[index][0]),
    predict: linear(weights),
    explain: async (image, of) => relevance(image, weights[of]),
  }));
}

/** Logits of a linear model without bias: N×C×H×W → N×K. */
export function linear(weights: readonly Float32Array[]): Predict {
  return async (batch) => {
    const logits = zeros(batch.shape[0], weights.length);
    for (let row = 0; row < batch.shape[0]; row++) {
      const { data } = rows(batch, row, row + 1);
      weights.forEach((weight, k) => {
        logits.data[row * weights.length + k] = data.reduce((sum, value, index) => sum + value * weight[index], 0);
      });
    }
    return logits;
  };
}

/** Positive part of image times weight, summed over channels: C×H×W → H×W. */
export function relevance(image: Tensor, weight: Float32Array): Tensor {
  const [channels, height, width] = image.shape;
  const map = zeros(height, width);
  const size = height * width;
  for (let pixel = 0; pixel < size; pixel++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += image.data[c * size + pixel] * weight[c * size + pixel];
    map.data[pixel] = Math.max(sum, 0);
  }
  return map;
}

/** A random stream that hands out the numbers given, in order, whatever is asked for. */
export function replay(draws: readonly number[]): Random {
  let next = 0;
  const take = (): number => {
    if (next === draws.length) throw new Error(`The replay of ${draws.length} draws is over.`);
    return draws[next++];
  };
  const refuse = (): never => {
    throw new Error('Only real numbers are replayed.');
  };
  return {
    uniform: take,
    uniformBetween: take,
    normal: take,
    interval: refuse,
    integer: refuse,
    permutation: refuse,
  };
}

/** Maps of a toy case, B×1×H×W in the set: one H×W for each image. Undefined where the set leaves them out. */
export function toyMaps(name: string): Tensor[] | undefined {
  const maps = golden.array(name);
  return maps && Array.from({ length: maps.shape[0] }, (_, index) => plane(rows(maps, index, index + 1)));
}

/**
 * A map of the embedded model at 224×224: the set's own, or made from the coarse one of the golden CAMs as its peer makes
 * it. Undefined where the set leaves out both.
 */
export function realMap(image: string, method: string, layer: string): Tensor | undefined {
  const whole = golden.array(`${image}/${method}/${layer}/map`);
  if (whole) return plane(whole);
  const coarse = cam.array(`${image}/${layer}/${method}/pred/raw`);
  return coarse && finishedAsPeer(method, coarse);
}

/**
 * The final map as the method's peer makes it of the raw one: Relevance-CAM scales the signed map and resizes it,
 * pytorch-grad-cam keeps what is positive and scales before and after.
 *
 *     h×w  →  224×224
 */
export function finishedAsPeer(method: string, coarse: Tensor): Tensor {
  const resize = (source: Tensor) =>
    compute(upsampleBilinear, { input: source }, { size: [224, 224], convention: 'half-pixel' });
  const stretch = (source: Tensor, epsilon: number) => compute(minMax, { input: source }, { epsilon });
  if (method === 'RelevanceCAM') return plane(resize(stretch(coarse, 0)));
  const positive = compute(positivePart, { input: coarse }, undefined);
  return plane(stretch(resize(stretch(positive, 1e-7)), 1e-7));
}

/** The rectangle of the real maps' mask, read from the manifest's words. */
export function realMask(): Tensor {
  const [top, bottom, left, right] = (/rows (\d+)\.\.(\d+), columns (\d+)\.\.(\d+)/.exec(golden.mask) ?? [])
    .slice(1)
    .map(Number);
  return rectangle(224, 224, { top, bottom, left, right });
}

/** A mask that is one in a rectangle, all sides included. */
export function rectangle(
  height: number,
  width: number,
  { top, bottom, left, right }: { top: number; bottom: number; left: number; right: number },
): Tensor {
  const mask = zeros(height, width);
  for (let row = top; row <= bottom; row++) mask.data.fill(1, row * width + left, row * width + right + 1);
  return mask;
}

function plane({ data, shape }: Tensor): Tensor {
  return tensor(data, shape.slice(-2));
}

function nested(values: readonly (readonly (readonly number[])[] | readonly number[])[]): Tensor {
  const shape = [];
  for (let part: unknown = values; Array.isArray(part); part = part[0]) shape.push(part.length);
  return tensor(values.flat(2) as number[], shape); // two or three axes of numbers
}
