import { averagePool, averagePoolBackward, maxPoolBackward, type Resident } from '@cambium/gpu-kernels';
import { averagePoolOptions, maxPoolOptions } from './geometry.ts';
import type { Step } from './rule.ts';
import { viewAs } from './sum-like.ts';

/** Hands what arrived at a max pooling to the first maximum of each window, row by row. */
export function maxPoolBack(step: Step, arrived: Resident): Resident {
  const options = maxPoolOptions(step);
  const inputs = { gradient: viewAs(step, arrived, pooledShape(step)), input: step.input(0), output: pooled(step) };
  return step.engine.run(maxPoolBackward, inputs, options);
}

/** Spreads what arrived at a mean (AveragePool, GlobalAveragePool, ReduceMean over space) evenly over its window. */
export function averageBack(step: Step, arrived: Resident): Resident {
  const { shape } = step.input(0);
  const gradient = viewAs(step, arrived, pooledShape(step));
  const options = { ...averagePoolOptions(step), inputSize: [shape[2], shape[3]] as const };
  return step.engine.run(averagePoolBackward, { gradient }, options);
}

/** The node's mean, of another input of the same shape: N×C×h×w also where the node drops the reduced axes. */
export function averageOf(step: Step, input: Resident): Resident {
  return step.engine.run(averagePool, { input }, averagePoolOptions(step));
}

/** The node's output as N×C×h×w. */
export function pooled(step: Step): Resident {
  return viewAs(step, step.output, pooledShape(step));
}

/** N×C×h×w of the node's output; a ReduceMean that drops its axes has N×C only. */
export function pooledShape(step: Step): readonly number[] {
  const { shape } = step.output;
  return shape.length === 4 ? shape : [...shape, 1, 1];
}
