import { padAxis, type Resident, sliceAxis } from '@cambium/gpu-kernels';
import { ModelError } from '../../errors.ts';
import { intOf } from '../../onnx/attributes.ts';
import { plus } from '../arithmetic.ts';
import { axisOf, listOf } from '../axes.ts';
import type { BackwardOp, Step } from '../rule.ts';

/** Operations that join values or cut parts out of them: what arrives at a part goes back to its place. */
export const cutting = {
  Concat: concatBack,
  Split: splitBack,
  Slice: sliceBack,
  Pad: padBack,
} satisfies { [op: string]: BackwardOp };

function concatBack(step: Step): (Resident | null)[] {
  const axis = axisOf(step, intOf(step.node.attributes, 'axis', 1), step.arrived.shape.length);
  let start = 0;
  return step.node.inputs.map((_, index) => {
    const end = start + step.input(index).shape[axis];
    const part = step.wanted[index] ? step.engine.run(sliceAxis, { input: step.arrived }, { axis, start, end }) : null;
    start = end;
    return part;
  });
}

function splitBack(step: Step): (Resident | null)[] {
  const { shape } = step.input(0);
  const axis = axisOf(step, intOf(step.node.attributes, 'axis', 0), shape.length);
  let start = 0;
  let whole: Resident | null = null;
  for (const [index, arrived] of step.arrivals.entries()) {
    const length = step.outputShape(index)[axis];
    if (arrived) {
      const placed = place(step, arrived, { axis, before: start, after: shape[axis] - start - length });
      whole = whole ? plus(step, whole, placed) : placed;
    }
    start += length;
  }
  return [whole];
}

/** Slices of consecutive positions; the axes, starts and steps are attributes up to opset 9 and inputs from 10. */
function sliceBack(step: Step): (Resident | null)[] {
  const { shape } = step.input(0);
  const starts = listOf(step, 'starts', 1) ?? [];
  const axes = listOf(step, 'axes', 3) ?? starts.map((_, index) => index);
  if ((listOf(step, 'steps', 4) ?? []).some((stride) => stride !== 1)) {
    throw new ModelError(
      `Slice at node ${step.node.name} skips or reverses positions; Cambium cannot walk through it.`,
    );
  }
  const whole = axes.reduce<Resident>((arrived, given, index) => {
    const axis = (given + shape.length) % shape.length;
    const length = arrived.shape[axis];
    if (length === shape[axis]) return arrived;
    const start = starts[index] < 0 ? starts[index] + shape[axis] : starts[index];
    return place(step, arrived, {
      axis: axisOf(step, axis, shape.length),
      before: start,
      after: shape[axis] - start - length,
    });
  }, step.arrived);
  return [whole];
}

function padBack(step: Step): (Resident | null)[] {
  const pads = listOf(step, 'pads', 1) ?? [];
  const rank = step.arrived.shape.length;
  const cropped = step.arrived.shape.reduce((arrived, length, axis) => {
    const [start, end] = [pads[axis] ?? 0, length - (pads[axis + rank] ?? 0)];
    if (start === 0 && end === length) return arrived;
    return step.engine.run(sliceAxis, { input: arrived }, { axis, start, end });
  }, step.arrived);
  return [cropped];
}

function place(step: Step, arrived: Resident, options: { axis: number; before: number; after: number }): Resident {
  return step.engine.run(padAxis, { input: arrived }, options);
}
