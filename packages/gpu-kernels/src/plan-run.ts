import { ShapeError } from './errors.ts';
import type { Kernel, Named, Plan } from './kernel.ts';
import { show } from './kernels/shapes.ts';
import { type Shape, sizeOf } from './tensor.ts';

/**
 * Plans a run, on every engine in the same way: what all kernels refuse is refused here, before the kernel's own plan.
 *
 * @throws ShapeError when an input or the output would hold no number, or from the kernel's plan
 * @throws RangeError from the kernel's plan
 */
export function planRun<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  shapes: Named<In, Shape>,
  options: O,
): Plan<U> {
  for (const input of kernel.inputs) requireNumbers(kernel.name, input, shapes[input]);
  const plan = kernel.plan(shapes, options);
  requireNumbers(kernel.name, 'output', plan.output);
  return plan;
}

function requireNumbers(where: string, what: string, shape: Shape): void {
  if (sizeOf(shape) > 0) return;
  throw new ShapeError(where, 'tensors of at least one number', `${what} ${show(shape)}`);
}
