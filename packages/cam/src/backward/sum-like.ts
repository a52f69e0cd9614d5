import { type Resident, reshape, sumAxes } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { NodeStep, Step } from './rule.ts';

/**
 * Sums what arrived at a broadcast result over the axes along which an input was repeated, so that it has that input's
 * shape. The batch axis is never summed.
 *
 * @throws ModelError when the input has fewer axes than the result and is not a constant
 */
export function sumLike(step: Step, arrived: Resident, index: number): Resident {
  const { shape } = step.input(index);
  if (shape.length !== arrived.shape.length) {
    throw new ModelError(
      `${step.node.op} at node ${step.node.name} repeats a computed value of shape [${shape.join(', ')}] ` +
        `along new axes to [${arrived.shape.join(', ')}]; Cambium cannot walk through it.`,
    );
  }
  const axes = shape.flatMap((length, axis) => (axis > 0 && length === 1 && arrived.shape[axis] !== 1 ? [axis] : []));
  return axes.length === 0 ? arrived : step.engine.run(sumAxes, { input: arrived }, { axes });
}

/** The same numbers under another shape; axis 0 stays. */
export function viewAs(step: NodeStep, resident: Resident, shape: readonly number[]): Resident {
  return resident.shape.join() === shape.join() ? resident : step.engine.run(reshape, { input: resident }, { shape });
}
