import { type Resident, reshape, sliceAxis, transpose } from '@cambium/gpu-kernels';
import { ModelError } from '../../errors.ts';
import { intOf, intsOf } from '../../onnx/attributes.ts';
import type { BackwardOp, Step } from '../rule.ts';

/**
 * Operations that only move values: what arrives is moved back, whatever the rule. The same under the gradient and under
 * every relevance rule.
 */
export const routing = {
  Identity: pass,
  Dropout: pass,
  Cast: pass,
  Flatten: likeInput,
  Reshape: likeInput,
  Squeeze: likeInput,
  Unsqueeze: likeInput,
  Transpose: transposeBack,
  Concat: concatBack,
  Pad: padBack,
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
  const rank = step.arrived.shape.length;
  const axes = intsOf(step.node.attributes, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return [step.engine.run(transpose, { input: step.arrived }, { axes: inverse })];
}

function concatBack(step: Step): (Resident | null)[] {
  const rank = step.arrived.shape.length;
  const axis = (intOf(step.node.attributes, 'axis', 1) + rank) % rank;
  let start = 0;
  return step.node.inputs.map((_, index) => {
    const end = start + step.input(index).shape[axis];
    const part = step.wanted[index] ? step.engine.run(sliceAxis, { input: step.arrived }, { axis, start, end }) : null;
    start = end;
    return part;
  });
}

function padBack(step: Step): (Resident | null)[] {
  const constant = step.constant(1);
  const pads =
    intsOf(step.node.attributes, 'pads') ?? (constant && constant.type !== 'encoded' ? Array.from(constant.data) : []);
  const rank = step.arrived.shape.length;
  const cropped = step.arrived.shape.reduce((arrived, length, axis) => {
    const [start, end] = [pads[axis] ?? 0, length - (pads[axis + rank] ?? 0)];
    if (start === 0 && end === length) return arrived;
    return step.engine.run(sliceAxis, { input: arrived }, { axis, start, end });
  }, step.arrived);
  return [cropped];
}
