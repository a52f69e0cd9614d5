import type { Named, Plan } from '../kernel.ts';
import { type BroadcastUniform, combine, planBroadcast } from '../kernels/broadcast.ts';
import { type Random, uniformTensor } from '../random.ts';
import type { Shape, Tensor } from '../tensor.ts';
import { boundedHalves, fromHalves, requireHalves, toHalves, writeHalves } from './half.ts';

/** Plans an element-wise kernel of two inputs in words. @throws ShapeError when they are not laid out channels last or do not fit */
export function planHalfBroadcast(where: string, left: Shape, right: Shape): Plan<BroadcastUniform> {
  requireHalves(where, 'a left input', left);
  requireHalves(where, 'a right input', right);
  return planBroadcast(where, left, right);
}

/** Writes `of(left, right)` for both halves of every word of the output. */
export function combineHalves(
  [left, right]: readonly [Float32Array, Float32Array],
  u: Named<BroadcastUniform, number>,
  output: Float32Array,
  of: (left: number, right: number) => number,
): void {
  const [l, r] = [fromHalves(left), fromHalves(right)];
  const results = new Float32Array(2 * u.count);
  for (const half of [0, 1]) {
    const every = (words: Float32Array) => words.filter((_, index) => index % 2 === half);
    const part = new Float32Array(u.count);
    combine([every(l), every(r)], u, part, of);
    for (let index = 0; index < u.count; index++) results[2 * index + half] = part[index];
  }
  writeHalves(boundedHalves(results), output);
}

/** Equal shapes, images of one pixel, and one row for all. */
export function sampleHalfPairs(random: Random): readonly (readonly [Tensor, Tensor])[] {
  const shapes: readonly (readonly [Shape, Shape])[] = [
    [
      [2, 3, 5, 8],
      [2, 3, 5, 8],
    ],
    [
      [2, 3, 5, 8],
      [2, 1, 1, 8],
    ],
    [
      [1, 1, 1, 12],
      [3, 2, 5, 12],
    ],
  ];
  return shapes.map(([left, right]) => [toHalves(uniformTensor(random, left)), toHalves(uniformTensor(random, right))]);
}
