import type { Plan } from '../kernel.ts';
import { type Random, uniformTensor } from '../random.ts';
import { type Shape, sizeOf, type Tensor } from '../tensor.ts';
import { workgroupsFor } from './shapes.ts';

/** Plans a kernel whose output has the shape of its input, one invocation for each element. */
export function planPointwise(shape: Shape): Plan<'count'> {
  const count = sizeOf(shape);
  return { output: shape, uniforms: { count }, workgroups: workgroupsFor(count) };
}

/** Inputs to try a pointwise kernel on: an image batch with a few exact zeros, and a long row. */
export function samplePoints(random: Random): readonly Tensor[] {
  const images = uniformTensor(random, [2, 3, 4, 5], -3, 3);
  images.data.fill(0, 0, 4);
  return [images, uniformTensor(random, [3, 130], -3, 3)];
}
