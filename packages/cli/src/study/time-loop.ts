import { type Classifier, normalisePixels } from '@cambium/cam';
import { compute, type MaskOptions, maskImages, rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { readPicture } from '../io/image.ts';
import type { LoopTiming } from './records.ts';
import { batchOf, type Study } from './study.ts';

/** Seconds that one image may take: where it takes more, timing it is not worth the wait. */
const PATIENCE = 1;

/** Images that are timed one at a time. */
const SINGLE = 8;

/**
 * Times what Score-CAM and the metrics do most, in two ways: as a plain loop does it, which makes one masked image after another
 * in JavaScript and has it classified alone, and in batches, whose masks are made where the network computes. On the study's
 * first image and the first channels of its last layer; the first run of each is not counted, it compiles.
 *
 * @param clock seconds
 * @returns nothing where an image takes more than a second
 */
export async function timeLoop(
  study: Study,
  classifier: Classifier,
  clock: () => number,
): Promise<LoopTiming | undefined> {
  const [, height, width] = study.model.graph.input.shape;
  const picture = await readPicture(study.images[0].file, [height, width], study.model.resize);
  const image = normalisePixels(picture.data, picture.size, study.model);
  const layer = study.layers[study.layers.length - 1].value;
  const { layers } = await classifier.values(image, [layer]);
  const channels = tensor(layers[layer].data, layers[layer].shape.slice(1));
  const alone = (index: number) => {
    const activations = repeated(channels, index % channels.shape[0], 1);
    return classifier.predict(compute(maskImages, { image, activations }, MASKS));
  };
  await alone(0);
  let begun = clock();
  await alone(1);
  if (clock() - begun > PATIENCE) return undefined;
  const batch = batchOf(study, classifier);
  const inputs = { image, activations: repeated(channels, 0, batch) };
  const together = () =>
    classifier.predictVariants({ kernel: maskImages, inputs, rows: 'activations', options: MASKS });
  await together();
  begun = clock();
  for (let index = 0; index < SINGLE; index++) await alone(index);
  const single = (clock() - begun) / SINGLE;
  begun = clock();
  await together();
  return { images: SINGLE, batch, single, batched: (clock() - begun) / batch };
}

/** `count` channels from one on, C×h×w; after the last the first again. */
function repeated(channels: Tensor, from: number, count: number): Tensor {
  const [all, ...size] = channels.shape;
  const area = channels.data.length / all;
  const data = new Float32Array(count * area);
  for (let index = 0; index < count; index++) {
    data.set(rows(channels, (from + index) % all, ((from + index) % all) + 1).data, index * area);
  }
  return tensor(data, [count, ...size]);
}

/** As Score-CAM's authors make them. */
const MASKS: MaskOptions = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 };
