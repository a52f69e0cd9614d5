import {
  filled,
  numpyRandom,
  type Predict,
  rows,
  type Tensor,
  tensor,
  uniformTensor,
  zeros,
} from '@cambium/gpu-kernels';
import type { Score, Subject } from '../../src/types.ts';

/** A classifier that ignores its input: logits of 0.5 for each of two classes. */
export const constant: Predict = async (batch) => filled(0.5, batch.shape[0], 2);

/** Two classes: class 1 has `scale` times the number at one flat index of the image, class 0 has none. */
export function onePixel(index: number, scale = 1): Predict {
  return async (batch) => {
    const logits = zeros(batch.shape[0], 2);
    for (let row = 0; row < batch.shape[0]; row++) {
      logits.data[2 * row + 1] = scale * rows(batch, row, row + 1).data[index];
    }
    return logits;
  };
}

/** A subject of 3×4×5 random numbers with a random positive map, for class 1. */
export function randomSubject(seed: number, changes: Partial<Subject> = {}): Subject {
  const random = numpyRandom(seed);
  const image = uniformTensor(random, [3, 4, 5], -2, 2);
  const map = uniformTensor(random, [4, 5], 0, 1);
  return { image, map, target: 1, predict: constant, explain: brightness, ...changes };
}

/** Explains by the magnitudes of the image, summed over channels: what is bright matters. */
export async function brightness({ data, shape }: Tensor): Promise<Tensor> {
  const [channels, height, width] = shape;
  const size = height * width;
  return tensor(
    Array.from({ length: size }, (_, pixel) =>
      Array.from({ length: channels }, (_, c) => Math.abs(data[c * size + pixel])).reduce(
        (sum, value) => sum + value,
        0,
      ),
    ),
    [height, width],
  );
}

/** Every number of a tensor times a factor. */
export function scaled({ data, shape }: Tensor, factor: number): Tensor {
  return tensor(
    data.map((value) => value * factor),
    shape,
  );
}

/** The number of a score that is there. */
export function numberOf(score: Score): number {
  if (score.value === null) throw new Error(`Expected a value, got none: ${score.reason}`);
  return score.value;
}
