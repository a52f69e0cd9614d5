import { type Resident, transpose } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import { intsOf } from '../onnx/attributes.ts';
import type { NodeStep } from './rule.ts';
import { viewAs } from './sum-like.ts';

/** Integers that are an attribute in earlier opsets and a constant input in later ones; undefined where there are none. */
export function listOf(step: NodeStep, name: string, input: number): readonly number[] | undefined {
  const constant = step.node.inputs[input] ? step.constant(input) : undefined;
  return constant && constant.type !== 'encoded' ? Array.from(constant.data) : intsOf(step.node.attributes, name);
}

/** An axis that a node cuts or joins, counted from the front. @throws ModelError when it is the batch */
export function axisOf(step: NodeStep, given: number, rank: number): number {
  const axis = (given + rank) % rank;
  if (axis !== 0) return axis;
  throw new ModelError(
    `${step.node.op} at node ${step.node.name} cuts or joins the batch; Cambium cannot cross it with kernels.`,
  );
}

/** Axes in another order. Those that stay side by side are moved as one, so that a channel shuffle of five axes needs four. */
export function permuted(step: NodeStep, input: Resident, axes: readonly number[]): Resident {
  const { shape } = input;
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs.at(-1);
    if (last && last[0] !== 0 && axis === last[last.length - 1] + 1) last.push(axis);
    else runs.push([axis]);
  }
  const inOrder = runs.toSorted((a, b) => a[0] - b[0]);
  const joined = inOrder.map((run) => run.reduce((length, axis) => length * shape[axis], 1));
  const merged = viewAs(step, input, joined);
  const moved = step.engine.run(transpose, { input: merged }, { axes: runs.map((run) => inOrder.indexOf(run)) });
  const result = axes.map((axis) => shape[axis]);
  return viewAs(step, moved, result);
}
