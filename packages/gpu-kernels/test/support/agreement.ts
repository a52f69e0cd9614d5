import type { AnyKernel, Named, Tensor } from '../../src/index.ts';
import { fromHalves, mapNamed, sizeOf } from '../../src/index.ts';

/** Normalised mean squared error: Σ(a − b)² / Σb²; infinite where the lengths differ or a number is not finite. */
export function normalisedError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let squared = 0;
  let scale = 0;
  for (let index = 0; index < expected.length; index++) {
    squared += (actual[index] - expected[index]) ** 2;
    scale += expected[index] ** 2;
  }
  if (!Number.isFinite(squared)) return Number.POSITIVE_INFINITY;
  return squared === 0 ? 0 : squared / (scale || 1);
}

/** The error of a kernel's output against the expected one. */
export function errorOf(kernel: AnyKernel, actual: Tensor, expected: Tensor): number {
  return normalisedError(numbersOf(kernel, actual), numbersOf(kernel, expected));
}

/** What a kernel's reference loops make of the inputs. Elements they do not write stay NaN. */
export function referenceOf(kernel: AnyKernel, inputs: Named<string, Tensor>, options: unknown): Tensor {
  const plan = kernel.plan(
    mapNamed(kernel.inputs, (name) => inputs[name].shape),
    options,
  );
  const output = new Float32Array(sizeOf(plan.output)).fill(Number.NaN);
  kernel.reference(
    mapNamed(kernel.inputs, (name) => inputs[name].data),
    plan.uniforms,
    output,
  );
  return { data: output, shape: plan.output };
}

/** The numbers of a kernel's output, whether it holds float32 or halves. */
export function numbersOf(kernel: AnyKernel, { data }: Tensor): Float32Array {
  return kernel.halves?.includes('output') ? fromHalves(data) : data;
}
