import { type Resident, reshape, transpose } from '@cambium/gpu-kernels';
import { ModelError } from '../../errors.ts';
import { intsOf } from '../../onnx/attributes.ts';
import type { BackwardOp, Step } from '../rule.ts';
import { viewAs } from '../sum-like.ts';
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

/** Axes that stay side by side are moved as one, so that a channel shuffle of five axes needs four. */
function transposeBack(step: Step): (Resident | null)[] {
  const { shape } = step.arrived;
  const forward = intsOf(step.node.attributes, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const inverse = forward.map((_, axis) => forward.indexOf(axis));
  const runs: number[][] = [];
  for (const axis of inverse) {
    const last = runs.at(-1);
    if (last && last[0] !== 0 && axis === last[last.length - 1] + 1) last.push(axis);
    else runs.push([axis]);
  }
  const ordered = runs.toSorted((a, b) => a[0] - b[0]);
  const joined = ordered.map((run) => run.reduce((length, axis) => length * shape[axis], 1));
  const merged = viewAs(step, step.arrived, joined);
  const moved = step.engine.run(transpose, { input: merged }, { axes: runs.map((run) => ordered.indexOf(run)) });
  return [viewAs(step, moved, step.input(0).shape)];
}
