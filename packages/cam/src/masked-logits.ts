import { maskImages, rows, stack, sweep, type Tensor, tensor, zeros } from '@cambium/gpu-kernels';
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
    const keys = channels.map((channel) => maskKey(activations, channel, convention));
    if (keys.includes(CONSTANT)) known.set(CONSTANT, await blank());
    const missing = new Map(keys.map((key, row) => [key, channels[row]]));
    for (const key of known.keys()) missing.delete(key);
    if (missing.size > 0) {
      const logits = await sweepMasks(from, [...missing.values()], convention);
      for (const [row, key] of [...missing.keys()].entries()) known.set(key, rows(logits, row, row + 1).data.slice());
    }
    return stack(keys.map((key) => tensor(known.get(key)!, [1, classifier.classes]))); // every key is known by now
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
  const inputs = { image, activations: stack(channels.map((channel) => rows(activations, channel, channel + 1))) };
  const request = { classifier, kernel: maskImages, inputs, rows: 'activations' as const, options, batch, signal };
  return sweep({ ...request, onBatch: onMasked });
}

/** Key of the masks that a constant channel makes: zeros. */
const CONSTANT = 'constant';

/** Equal for channels whose activations, min-maxed as the convention says, are the same numbers. */
function maskKey(activations: Tensor, channel: number, { epsilon }: MaskConvention): string {
  if (isConstant(activations, channel)) return CONSTANT;
  const values = channelOf(activations, channel);
  let [low, high] = [values[0], values[0]];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const mask = new Float32Array(values.length);
  for (let place = 0; place < mask.length; place++) mask[place] = (values[place] - low) / (high - low + epsilon);
  return textOf(new Uint16Array(mask.buffer));
}

/** A character for each word: nothing is lost. */
function textOf(words: Uint16Array): string {
  let text = '';
  for (let from = 0; from < words.length; from += 4096) {
    text += Reflect.apply(String.fromCharCode, null, words.subarray(from, from + 4096));
  }
  return text;
}
