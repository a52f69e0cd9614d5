import { type Resident, reshape } from '@cambium/gpu-kernels';
import { ModelError } from '../../errors.ts';
import { intsOf } from '../../onnx/attributes.ts';
import { permuted } from '../axes.ts';
import type { BackwardOp, Step } from '../rule.ts';
import { cutting } from './cutting.ts';

/**
 * Operations that only move values: what arrives is moved back, whatever the rule. The same under the gradient and under
 * every relevance rule.
 */
export const routing = {
  ...cutting,
  Identity: pass,
  Dropout: pass,
  Cast: pass,
  Flatten: likeInput,
  Reshape: likeInput,
  Squeeze: likeInput,
  Unsqueeze: likeInput,
  Transpose: transposeBack,
} satisfies { [op: string]: BackwardOp };

/** What arrives goes on unchanged to the first input. */
export function pass(step: Step): (Resident | null)[] {
  return [step.arrived];
}

function likeInput(step: Step): (Resident | null)[] {
  const { shape } = step.input(0);
  if (shape[0] !== step.arrived.shape[0]) {
    throw new ModelError(
      `${step.node.op} at node ${step.node.name} mixes the batch axis into others; Cambium cannot walk through it.`,
    );
  }
  return [step.engine.run(reshape, { input: step.arrived }, { shape })];
}

function transposeBack(step: Step): (Resident | null)[] {
  const { shape } = step.arrived;
  const forward = intsOf(step.node.attributes, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  return [
    permuted(
      step,
      step.arrived,
      forward.map((_, axis) => forward.indexOf(axis)),
    ),
  ];
}
