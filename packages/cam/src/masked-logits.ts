import { maskImages, rows, sizeOf, sweep, type Tensor, zeros } from '@cambium/gpu-kernels';
import { channelOf, isConstant } from './methods/channels.ts';
import type { Classifier, MaskConvention } from './types.ts';

/** Called as masked forward passes finish, with those done and those needed in this request. */
export type OnMasked = (done: number, total: number) => void;

/** The logits of one image at one layer under the masks of its channels, kept by convention and channel. */
export interface MaskedLogits {
  /** channels×K, in the order of `channels`. */
  of(channels: readonly number[], convention: MaskConvention): Promise<Tensor>;
  /** K logits under a mask of zeros. */
  blank(): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * Score-CAM's matrix, filled as it is asked for. No forward pass is spent twice:
 *
 * - a row once computed serves every target and weighting;
 * - channels that become the same mask (min-maxed with the convention's ε, bit for bit) share a row;
 * - constant channels have a mask of zeros and share the blank image's row.
 *
 * The masks travel as h×w numbers a channel and are made where the classifier computes; memory is one batch.
 */
export function maskedLogits(from: MaskedImage): MaskedLogits {
  const { classifier, image, activations } = from;
  const kept = new Map<string, Map<string, Float32Array<ArrayBuffer>>>(); // convention → mask → logits
  let blankRow: Float32Array<ArrayBuffer> | undefined;

  async function blank(): Promise<Float32Array<ArrayBuffer>> {
    blankRow ??= (await classifier.predict(zeros(...image.shape))).data;
    return blankRow;
  }

  async function of(channels: readonly number[], convention: MaskConvention): Promise<Tensor> {
    const known = kept.get(JSON.stringify(convention)) ?? new Map<string, Float32Array<ArrayBuffer>>();
    kept.set(JSON.stringify(convention), known);
    const keys = channels.map(maskKeys(activations, convention));
    if (keys.includes(CONSTANT)) known.set(CONSTANT, await blank());
    const missing = new Map(keys.map((key, row) => [key, channels[row]]));
    for (const key of known.keys()) missing.delete(key);
    if (missing.size > 0) {
      const logits = await sweepMasks(from, [...missing.values()], convention);
      for (const [row, key] of [...missing.keys()].entries()) known.set(key, rows(logits, row, row + 1).data.slice());
    }
    const matrix = zeros(channels.length, classifier.classes);
    for (const [row, key] of keys.entries()) matrix.data.set(known.get(key)!, row * classifier.classes); // each is known by now
    return matrix;
  }

  return { of, blank };
}

/** An image, what a layer made of it, and who classifies it under masks. */
export interface MaskedImage {
  readonly classifier: Classifier;
  /** 1×C×H×W */
  readonly image: Tensor;
  /** channels×h×w */
  readonly activations: Tensor;
  /** Masked images that are alive at once. */
  readonly batch: number;
  readonly signal?: AbortSignal;
  readonly onMasked?: OnMasked;
}

function sweepMasks(from: MaskedImage, channels: readonly number[], options: MaskConvention): Promise<Tensor> {
  const { classifier, image, activations, batch, signal, onMasked } = from;
  const inputs = { image, activations: picked(activations, channels) };
  const request = { classifier, kernel: maskImages, inputs, rows: 'activations' as const, options, batch, signal };
  return sweep({ ...request, onBatch: onMasked });
}

/** Some rows of a tensor, in this order. */
function picked(source: Tensor, wanted: readonly number[]): Tensor {
  const [, ...trailing] = source.shape;
  const size = sizeOf(trailing);
  const result = zeros(wanted.length, ...trailing);
  for (const [row, at] of wanted.entries())
    result.data.set(source.data.subarray(at * size, (at + 1) * size), row * size);
  return result;
}

/** Key of the masks that a constant channel makes: zeros. */
const CONSTANT = 'constant';

/** Keys of channels, equal where their activations, min-maxed as the convention says, are the same numbers. */
function maskKeys(activations: Tensor, { epsilon }: MaskConvention): (channel: number) => string {
  const mask = new Float32Array(sizeOf(activations.shape.slice(1)));
  const words = new Uint16Array(mask.buffer);
  return (channel) => {
    if (isConstant(activations, channel)) return CONSTANT;
    const values = channelOf(activations, channel);
    let [low, high] = [values[0], values[0]];
    for (let place = 1; place < values.length; place++) {
      low = Math.min(low, values[place]);
      high = Math.max(high, values[place]);
    }
    for (let place = 0; place < mask.length; place++) mask[place] = (values[place] - low) / (high - low + epsilon);
    return textOf(words);
  };
}

/** A character for each word: nothing is lost. */
function textOf(words: Uint16Array): string {
  if (words.length <= AT_ONCE) return Reflect.apply(String.fromCharCode, null, words);
  let text = '';
  for (let from = 0; from < words.length; from += AT_ONCE) text += textOf(words.subarray(from, from + AT_ONCE));
  return text;
}

/** Characters that one call makes: its arguments are many. */
const AT_ONCE = 4096;
