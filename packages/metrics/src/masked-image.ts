import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { imageOutput, predictEach } from './outputs.ts';
import type { Subject } from './types.ts';

/** What the network makes of an image, and of what a map lets through. */
export interface MaskedImage {
  /** H×W in [0, 1] */
  readonly mask: Tensor;
  /** C×H×W, image times mask. */
  readonly image: Tensor;
  /** Probability of the target, of the image and of the masked image. */
  readonly before: number;
  readonly after: number;
}

/**
 * Multiplies the image by the map, in the units of the network's input (so what is masked out becomes the mean colour),
 * and classifies both.
 *
 * The mask is the positive part of the map over its maximum: the map itself where it lies in [0, 1] and reaches 1.
 *
 * @source spec 3.4
 */
export async function maskImage(subject: Subject): Promise<MaskedImage> {
  const mask = maskOf(subject.map);
  const image = tensor(subject.image.data.slice(), subject.image.shape);
  const size = mask.data.length;
  for (let start = 0; start < image.data.length; start += size) {
    for (let pixel = 0; pixel < size; pixel++) image.data[start + pixel] *= mask.data[pixel];
  }
  const before = await imageOutput(subject, 'probability');
  const [after] = await predictEach(subject, 1, 'probability', (_, pixels) => pixels.set(image.data));
  return { mask, image, before, after };
}

function maskOf({ data, shape }: Tensor): Tensor {
  let largest = 0;
  for (let pixel = 0; pixel < data.length; pixel++) if (data[pixel] > largest) largest = data[pixel];
  const scale = largest > 0 ? largest : 1; // nothing positive: a mask of zeros
  const mask = new Float32Array(data.length);
  for (let pixel = 0; pixel < mask.length; pixel++) mask[pixel] = Math.max(data[pixel], 0) / scale;
  return tensor(mask, shape);
}
