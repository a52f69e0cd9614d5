import {
  type AnyKernel,
  compute,
  fillRegions,
  numpyRandom,
  replacePixels,
  type Tensor,
  tensor,
  translate,
  uniformTensor,
  zeros,
} from '@cambium/gpu-kernels';
import { type Compared, compareLogits } from '../reference.ts';
import type { SelfTest } from '../self-test.ts';

/**
 * Compares the logits of a classifier's own variants of an image, by each kernel that metrics change images with, with the
 * reference's logits of the same variants made by plain loops. A kernel that changes nothing, or something else, shows here; in
 * the scores of a metric it would look like a result.
 *
 * @param image 1×C×H×W
 */
export async function checkVariants(name: string, image: Tensor, compared: Compared): Promise<SelfTest[]> {
  const tests: SelfTest[] = [];
  for (const { made, kernel, inputs, rows } of batchesOf(image)) {
    const variants = compute(kernel, inputs, undefined);
    const own = await compared.classifier.predictVariants({ kernel, inputs, rows, options: undefined });
    tests.push(compareLogits(`${name} ${made}`, own, await compared.reference.predict(variants), compared.classifier));
  }
  return tests;
}

interface Batch {
  /** What was done to the image, in words. */
  readonly made: string;
  readonly kernel: AnyKernel;
  readonly inputs: { readonly [name: string]: Tensor };
  readonly rows: string;
}

function batchesOf(image: Tensor): Batch[] {
  const [, channels, height, width] = image.shape;
  const random = numpyRandom(0);
  const fill = zeros(...image.shape);
  const ranks = (...shape: number[]) => {
    const { data } = uniformTensor(random, shape, 0, 10);
    return tensor(data.map(Math.floor), shape);
  };
  const across = Math.ceil(width / 5);
  return [
    {
      made: 'with regions filled',
      kernel: fillRegions,
      inputs: { image, fill, ranks: ranks(1, height, width), steps: tensor([1, 4, 7], [3, 1]) },
      rows: 'steps',
    },
    {
      made: 'with features replaced',
      kernel: replacePixels,
      inputs: { image, fill, ranks: ranks(1, channels, height, width), ranges: tensor([0, 2, 3, 7, 1, 8], [3, 2]) },
      rows: 'ranges',
    },
    {
      made: 'moved sideways',
      kernel: translate,
      inputs: { image, fill, shifts: tensor([-across, 1, across], [3, 1]) },
      rows: 'shifts',
    },
  ];
}
