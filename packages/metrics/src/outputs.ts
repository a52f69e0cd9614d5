import {
  nextTurn,
  type Predict,
  replacePixels,
  rows,
  ShapeError,
  sweep,
  type Tensor,
  tensor,
} from '@cambium/gpu-kernels';
import { requireChoice } from './options.ts';
import { probabilityOf } from './softmax.ts';
import type { Subject } from './types.ts';

/** Which number of the target class a metric looks at. */
export type Output = 'probability' | 'logit';

/** Variants alive at once where a subject does not say. */
export const defaultBatchSize = 32;

/** @throws RangeError unless the value is one of the two */
export function requireOutput(metric: string, output: Output): void {
  requireChoice(metric, 'output', output, ['probability', 'logit']);
}

/** The K logits of the subject's own image, computed once for all that share its cache. */
export async function imageLogits(subject: Subject): Promise<Float32Array> {
  const work = async () =>
    (await predictRows(subject.predict, tensor(subject.image.data, [1, ...subject.image.shape]))).data;
  return subject.sweeps ? subject.sweeps.once('image', work) : work();
}

/** The output of the subject's own image. */
export async function imageOutput(subject: Subject, output: Output): Promise<number> {
  return readOutput(await imageLogits(subject), subject.target, output);
}

/** What planners need to know of `imageLogits`: one forward pass for each image. */
export const imageCost: { readonly [key: string]: number } = { image: 1 };

/** Features of one image and what replaces them, by rank. */
export interface Replacement {
  /** 1×C×H×W, what is seen where nothing is replaced. */
  readonly image: Tensor;
  /** 1×C×H×W, what is seen in place of a feature. */
  readonly fill: Tensor;
  /** 1×C×H×W, whole numbers from 1, 0 for never. */
  readonly ranks: Tensor;
  /** Where batches are written, N×C×H×W, by sweeps that follow each other; else memory of the sweep's own. */
  readonly room?: Tensor;
}

/**
 * Outputs of the variants that replace the given ranges of ranks, streamed in batches: through the subject's classifier
 * of variants, or made here for its `predict`.
 *
 *     ranges n×2, first rank and the one after the last  →  n outputs
 */
export async function sweepReplaced(
  subject: Subject,
  replacement: Replacement,
  ranges: Tensor,
  output: Output,
): Promise<Float64Array<ArrayBuffer>> {
  const { classifier } = subject;
  const { room, ...inputs } = replacement;
  if (!classifier) return streamed(subject, { ...rangeWriter(replacement, ranges), room, output });
  const batch = subject.batchSize ?? defaultBatchSize;
  const total = ranges.shape[0];
  const outputs = new Float64Array(total);
  const portion = batch * Math.ceil(1024 / batch); // the logits of so many variants are alive at once
  for (let start = 0; start < total; start += portion) {
    const end = Math.min(start + portion, total);
    await nextTurn(); // the sweep takes one between its own batches
    const logits = await sweep({
      classifier,
      kernel: replacePixels,
      inputs: { ...inputs, ranges: tensor(ranges.data.subarray(2 * start, 2 * end), [end - start, 2]) },
      rows: 'ranges',
      options: undefined,
      batch,
      signal: subject.signal,
    });
    readRows(logits, subject.target, output, outputs.subarray(start, end));
  }
  return outputs;
}

/**
 * Outputs of variants that are written one by one, streamed in batches: for variants that no kernel makes.
 *
 * @param write fills the pixels, C·H·W and a copy of the image at first, of the variant of this index
 */
export function predictEach(
  subject: Subject,
  count: number,
  output: Output,
  write: (index: number, pixels: Float32Array) => void,
): Promise<Float64Array<ArrayBuffer>> {
  return streamed(subject, { image: subject.image, count, output, write });
}

/** The same where `write` sets every pixel, whatever was there, in memory for a batch that is given. */
export function predictWritten(
  subject: Subject,
  count: number,
  output: Output,
  write: (index: number, pixels: Float32Array) => void,
  room: Tensor,
): Promise<Float64Array<ArrayBuffer>> {
  return streamed(subject, { image: subject.image, count, output, copied: 'never', room, write });
}

interface Stream {
  /** C×H×W, what every variant is a copy of at first. */
  readonly image: Tensor;
  readonly count: number;
  readonly output: Output;
  readonly room?: Tensor;
  /**
   * Which batches are copies of the image before they are written: each unless given, the first where `write` changes what
   * its place held before, none where it sets every pixel.
   */
  readonly copied?: 'each' | 'first' | 'never';
  write(index: number, pixels: Float32Array): void;
}

async function streamed(
  subject: Subject,
  { image, count, output, write, room: given, copied = 'each' }: Stream,
): Promise<Float64Array<ArrayBuffer>> {
  const batch = subject.batchSize ?? defaultBatchSize;
  const outputs = new Float64Array(count);
  const room = given ?? blank(image, Math.min(batch, count)); // every batch is written here
  if (copied === 'first') repeat(image, room);
  for (let start = 0; start < count; start += batch) {
    await nextTurn();
    subject.signal?.throwIfAborted();
    const images = rows(room, 0, Math.min(batch, count - start));
    for (let row = 0; row < images.shape[0]; row++) {
      const pixels = rows(images, row, row + 1).data;
      if (copied === 'each') pixels.set(image.data);
      write(start + row, pixels);
    }
    const logits = await predictRows(subject.predict, images);
    readRows(logits, subject.target, output, outputs.subarray(start, start + images.shape[0]));
  }
  return outputs;
}

/**
 * Writes what `replacePixels` computes, touching only the features in which a variant differs from the one that its place
 * in the batch held before.
 */
function rangeWriter({ image, fill, ranks }: Replacement, ranges: Tensor): Omit<Stream, 'output'> {
  const { features, starts } = groupedByRank(ranks.data);
  const copy = (from: Float32Array, pixels: Float32Array, [start, end]: readonly [number, number]) => {
    for (let at = start; at < end; at++) pixels[features[at]] = from[features[at]];
  };
  const held = new Map<number, readonly [number, number]>(); // by where a variant starts in the batch
  return {
    image: tensor(image.data, image.shape.slice(1)),
    count: ranges.shape[0],
    copied: 'first',
    write(index, pixels) {
      const [start, end] = [starts[ranges.data[2 * index]], starts[ranges.data[2 * index + 1]]];
      const [first, last] = held.get(pixels.byteOffset) ?? [start, start];
      const grows = first === start && last <= end;
      if (!grows) copy(image.data, pixels, [first, last]);
      copy(fill.data, pixels, [grows ? last : start, end]);
      held.set(pixels.byteOffset, [start, end]);
    },
  };
}

/** Features in the order of their rank, and where each rank starts. */
function groupedByRank(ranks: Float32Array): { readonly features: Uint32Array; readonly starts: Uint32Array } {
  let most = 0;
  for (let feature = 0; feature < ranks.length; feature++) if (ranks[feature] > most) most = ranks[feature];
  const starts = new Uint32Array(most + 2);
  for (let feature = 0; feature < ranks.length; feature++) starts[ranks[feature] + 1]++;
  for (let rank = 1; rank < starts.length; rank++) starts[rank] += starts[rank - 1];
  const next = starts.slice();
  const features = new Uint32Array(ranks.length);
  for (let feature = 0; feature < ranks.length; feature++) features[next[ranks[feature]]++] = feature;
  return { features, starts };
}

/** An image again and again: C×H×W → N×C×H×W. */
export function copies(image: Tensor, count: number): Tensor {
  const images = blank(image, count);
  repeat(image, images);
  return images;
}

/** Room for so many images. */
export function blank(image: Tensor, count: number): Tensor {
  return tensor(new Float32Array(count * image.data.length), [count, ...image.shape]);
}

/** Writes an image over every row of a batch. */
export function repeat(image: Tensor, images: Tensor): void {
  for (let row = 0; row < images.shape[0]; row++) images.data.set(image.data, row * image.data.length);
}

/**
 * Logits of a batch, checked.
 *
 * @throws ShapeError when the function does not return N×K
 */
export async function predictRows(predict: Predict, images: Tensor): Promise<Tensor> {
  const logits = await predict(images);
  if (logits.shape.length === 2 && logits.shape[0] === images.shape[0]) return logits;
  throw new ShapeError('predict', `to return logits of ${images.shape[0]}×K`, `[${logits.shape.join(', ')}]`);
}

/** The output of one row of logits. @throws RangeError when there is no such class, or the output is not finite */
export function readOutput(logits: Float32Array, target: number, output: Output): number {
  if (target >= logits.length) {
    throw new RangeError(`The target ${target} is no class: predict returns ${logits.length} logits.`);
  }
  const value = output === 'probability' ? probabilityOf(logits, target) : logits[target];
  if (Number.isFinite(value)) return value;
  throw new RangeError(`predict returned logits of which the ${output} of class ${target} is ${value}.`);
}

function readRows(logits: Tensor, target: number, output: Output, into: Float64Array): void {
  const classes = logits.shape[1];
  for (let row = 0; row < into.length; row++) {
    into[row] = readOutput(logits.data.subarray(row * classes, (row + 1) * classes), target, output);
  }
}
