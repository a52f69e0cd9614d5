import {
  add,
  divide,
  guardedDivide,
  multiply,
  negativePart,
  positivePart,
  type Resident,
  stabilisedDivide,
  tensor,
} from '@cambium/gpu-kernels';
import type { NodeStep } from './rule.ts';

/** Element-wise sum of two residents of a step's engine. */
export function plus(step: NodeStep, left: Resident, right: Resident): Resident {
  return step.engine.run(add, { left, right }, undefined);
}

/** Element-wise product. */
export function times(step: NodeStep, left: Resident, right: Resident): Resident {
  return step.engine.run(multiply, { left, right }, undefined);
}

/** Product with a number. */
export function scaled(step: NodeStep, resident: Resident, factor: number): Resident {
  return times(step, resident, step.engine.upload(tensor([factor], [1])));
}

/**
 * Quotient by a sum of contributions none of which is negative, for rules that multiply it with those contributions
 * again. Where the sum is 0 so is every contribution, and whatever finite number stands here comes to 0: it is enough to
 * keep it finite, which takes a third of the passes of `guarded`.
 */
export function share(step: NodeStep, numerator: Resident, total: Resident): Resident {
  const denominator = plus(step, total, step.engine.upload(tensor([TINY], [1])));
  return step.engine.run(divide, { left: numerator, right: denominator }, undefined);
}

/** Disappears beside any sum above 10⁻¹⁸ in float32, and leaves quotients of up to 10¹³ in its range. */
const TINY = 1e-25;

/** Quotient, 0 where the denominator is exactly 0. */
export function guarded(step: NodeStep, numerator: Resident, denominator: Resident): Resident {
  return step.engine.run(guardedDivide, { numerator, denominator }, undefined);
}

/** Quotient by the denominator moved away from 0 by `epsilon`, in the direction of its sign (of 0: up). */
export function stabilised(step: NodeStep, numerator: Resident, denominator: Resident, epsilon: number): Resident {
  return step.engine.run(stabilisedDivide, { numerator, denominator }, { epsilon });
}

/** max(x, 0) */
export function above(step: NodeStep, input: Resident): Resident {
  return step.engine.run(positivePart, { input }, undefined);
}

/** min(x, 0) */
export function below(step: NodeStep, input: Resident): Resident {
  return step.engine.run(negativePart, { input }, undefined);
}
