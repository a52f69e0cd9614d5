import { numpyRandom, type Random, rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { type RuleName, rules } from './backward/rules/index.ts';
import { ModelError } from './errors.ts';
import { resolveLayer } from './layers.ts';
import { type MaskedLogits, maskedLogits, type OnMasked } from './masked-logits.ts';
import type { Classifier, Probe } from './types.ts';

export interface ProbeOptions {
  /** Layers whose values the one forward pass keeps; others cost another pass when they are asked for. */
  readonly layers?: readonly string[];
  /** Masked images that are alive at once; 16 by default. */
  readonly batch?: number;
  /** Of everything random, together with the image and the layer; 42 by default. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onMasked?: OnMasked;
}

/** What was asked about one image, kept: its logits, layers, walks and masked forward passes are computed once. */
export interface ImageProbe {
  /** K logits of the image. */
  readonly logits: Float32Array<ArrayBuffer>;
  /**
   * The image at one layer, with one target.
   *
   * @throws NameError when there is no such layer; RangeError when there is no such class
   */
  at(layer: string, target: number): Promise<Probe>;
}

/**
 * Shows an image to a classifier and keeps what its explanations need.
 *
 * @param image 1×C×H×W, normalised as the network expects
 */
export async function probeImage(
  classifier: Classifier,
  image: Tensor,
  options: ProbeOptions = {},
): Promise<ImageProbe> {
  const { layers = [], batch = 16, seed = 42, signal, onMasked } = options;
  const { graph, classes } = classifier;
  const kept = layers.map((layer) => resolveLayer(graph, layer));
  const forward = await classifier.values(image, kept);
  const activations = new Map(Object.entries(forward.layers));
  const masked = new Map<string, MaskedLogits>();
  const walkBack = keptWalks(classifier, image);
  let digest: number | undefined; // of the image's numbers, once for all layers

  async function activationsAt(value: string): Promise<Tensor> {
    if (!activations.has(value)) activations.set(value, (await classifier.values(image, [value])).layers[value]);
    return withoutBatch(activations.get(value)!, value); // set just above
  }

  async function at(layer: string, target: number): Promise<Probe> {
    requireClass(target, classes);
    const value = resolveLayer(graph, layer);
    const values = await activationsAt(value);
    const matrix =
      masked.get(value) ?? maskedLogits({ classifier, image, activations: values, batch, signal, onMasked });
    masked.set(value, matrix);
    // a stream that depends on the seed, the image's numbers and the layer; begun when asked: most methods draw nothing
    let random: Random | undefined;
    return {
      image,
      layer,
      target,
      logits: forward.logits.data,
      activations: values,
      get random() {
        digest ??= fnv1a(bytesOf(image));
        random ??= numpyRandom((seed ^ digest ^ fnv1a(new TextEncoder().encode(value))) >>> 0);
        return random;
      },
      maskedLogits: matrix.of,
      blankLogits: matrix.blank,
      backward: (rule, start = rules[rule].start(classes, target)) => walkBack(value, rule, start),
    };
  }

  return { logits: forward.logits.data, at };
}

/** Walks back from the logits of one image; asking again for the same walk is free. */
function keptWalks(classifier: Classifier, image: Tensor) {
  const walked = new Map<string, Promise<Tensor>>();
  return (value: string, rule: RuleName, start: Float32Array<ArrayBuffer>): Promise<Tensor> => {
    const key = `${value} ${rule} ${start.join()}`;
    const known = walked.get(key);
    if (known) return known;
    const asked = classifier.backward(image, value, rule, tensor(start, [1, start.length]));
    const arrived = asked.then((result) => withoutBatch(result.arrived, value));
    walked.set(key, arrived);
    return arrived;
  };
}

/** 1×C×h×w → C×h×w */
function withoutBatch(batch: Tensor, layer: string): Tensor {
  if (batch.shape.length !== 4) {
    throw new ModelError(
      `Layer ${layer} has shape [${batch.shape.join(', ')}], batch first; a class activation map needs batch×channels×height×width.`,
    );
  }
  const { data } = rows(batch, 0, 1);
  return tensor(data, batch.shape.slice(1));
}

function requireClass(target: number, classes: number): void {
  if (Number.isInteger(target) && target >= 0 && target < classes) return;
  throw new RangeError(`The target is a class index from 0 to ${classes - 1}, got ${target}.`);
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** FNV-1a, 32 bits. @source Fowler, Noll, Vo, http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ bytes[index], 0x01000193);
  return hash >>> 0;
}
