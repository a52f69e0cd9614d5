import { ShapeError, sizeOf, type Tensor } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Classifier } from '../types.ts';

/** How many classes a network tells apart. @throws ModelError when that is not known */
export function classesOf(graph: Graph): number {
  const classes = graph.shapes.get(graph.logits)?.[1];
  if (classes) return classes;
  throw new ModelError(
    `The number of classes of ${graph.logits} could not be inferred; export the model with shape inference.`,
  );
}

/** @throws ShapeError when a batch is not one of images of this size */
export function requireImages(batch: Tensor, [channels, height, width]: Classifier['input']): void {
  const expected = [channels, height, width].join('×');
  if (batch.shape.length === 4 && batch.shape.slice(1).join('×') === expected && batch.shape[0] > 0) return;
  throw new ShapeError('The classifier', `a batch of images of ${expected}`, batch.shape.join('×'));
}

/** @throws ModelError when a logit is not a number, naming the image */
export function requireNumbers(logits: Tensor, name: string): void {
  const bad = logits.data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new ModelError(
    `The network's output ${name} is ${logits.data[bad]} for image ${Math.floor(bad / sizeOf(logits.shape.slice(1)))} of the batch; ` +
      'check the image for values that are not finite, and the model with the same image in ONNX Runtime.',
  );
}

/**
 * Programs on a GPU may swallow what is not a number (max(NaN, 0) is 0 there), so it must not get in.
 *
 * @throws ModelError when a tensor holds a number that is not finite, naming the row
 */
export function requireFinite(what: string, { data, shape }: Tensor): void {
  if (areFinite(data)) return;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  const row = Math.floor(bad / sizeOf(shape.slice(1)));
  throw new ModelError(
    `${what} ${row} of the batch holds ${data[bad]}; every number must be finite. Check how it was made.`,
  );
}

/**
 * Finite numbers in single precision never add up to one that is not in double precision. A sum waits for the one before, so that
 * four numbers at a time are faster; they come from four places, because that is faster than four in a row also in code that the
 * engine has not seen often.
 */
function areFinite(data: Float32Array): boolean {
  const quarter = data.length >> 2;
  let sum = 0;
  for (let index = 0; index < quarter; index++) {
    sum += data[index] + data[index + quarter] + (data[index + 2 * quarter] + data[index + 3 * quarter]);
  }
  for (let index = 4 * quarter; index < data.length; index++) sum += data[index];
  return Number.isFinite(sum);
}
