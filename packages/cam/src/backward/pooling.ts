import {
  averagePool,
  averagePoolBackward,
  filled,
  maxPoolBackward,
  multiply,
  type Resident,
  sumAxes,
} from '@cambium/gpu-kernels';
import { scaled } from './arithmetic.ts';
import { averagePoolOptions, maxPoolOptions, meanAxes } from './geometry.ts';
import type { NodeStep, Step } from './rule.ts';
import { viewAs } from './sum-like.ts';

/** Hands what arrived at a max pooling to the first maximum of each window, row by row. */
export function maxPoolBack(step: Step, arrived: Resident): Resident {
  const inputs = { gradient: arrived, input: step.input(0), output: step.output };
  return step.engine.run(maxPoolBackward, inputs, maxPoolOptions(step));
}

/** Spreads what arrived at a mean (AveragePool, GlobalAveragePool, ReduceMean) evenly over what it was taken of. */
export function averageBack(step: Step, arrived: Resident): Resident {
  const { shape } = step.input(0);
  if (step.node.op === 'AveragePool') {
    const options = { ...averagePoolOptions(step), inputSize: [shape[2], shape[3]] as const };
    return step.engine.run(averagePoolBackward, { gradient: arrived }, options);
  }
  const axes = meanAxes(step);
  const share = filled(1 / lengthOf(axes, shape), ...shape.map((length, axis) => (axes.includes(axis) ? length : 1)));
  const inputs = { left: viewAs(step, arrived, keptShape(step)), right: step.engine.upload(share) };
  return step.engine.run(multiply, inputs, undefined);
}

/** The node's mean of another input of the same shape. Averaged axes stay with length 1. */
export function averageOf(step: NodeStep, input: Resident): Resident {
  if (step.node.op === 'AveragePool') return step.engine.run(averagePool, { input }, averagePoolOptions(step));
  const axes = meanAxes(step);
  return scaled(step, step.engine.run(sumAxes, { input }, { axes }), 1 / lengthOf(axes, input.shape));
}

/** A value of the node's output shape, with averaged axes of length 1 also where the node drops them. */
export function asPooled(step: Step, resident: Resident): Resident {
  return step.node.op === 'AveragePool' ? resident : viewAs(step, resident, keptShape(step));
}

function keptShape(step: Step): readonly number[] {
  const axes = meanAxes(step);
  return step.input(0).shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}

function lengthOf(axes: readonly number[], shape: readonly number[]): number {
  return axes.reduce((product, axis) => product * shape[axis], 1);
}
