import { concatAxis, padAxis, type Resident, reshape, sliceAxis } from '@cambium/gpu-kernels';
import { axisOf, listOf, permuted } from '../backward/axes.ts';
import { ModelError } from '../errors.ts';
import { intOf, intsOf, stringOf } from '../onnx/attributes.ts';
import type { ForwardOp, ForwardStep } from './ops.ts';

/** Operations that only move values: another shape, another order, parts of a value or several values in one. */
export const moving = {
  Identity: same,
  Dropout: same,
  Cast: same,
  Flatten: shaped,
  Reshape: shaped,
  Squeeze: shaped,
  Unsqueeze: shaped,
  Transpose: ordered,
  Concat: joined,
  Split: parts,
  Slice: part,
  Pad: surrounded,
} satisfies { [op: string]: ForwardOp };

function same(step: ForwardStep): Resident[] {
  return [step.input(0)];
}

function shaped(step: ForwardStep): Resident[] {
  return [step.engine.run(reshape, { input: step.input(0) }, { shape: step.outputShape(0) })];
}

function ordered(step: ForwardStep): Resident[] {
  const input = step.input(0);
  const backwards = input.shape.map((_, axis) => input.shape.length - 1 - axis);
  return [permuted(step, input, intsOf(step.node.attributes, 'perm') ?? backwards)];
}

function joined(step: ForwardStep): Resident[] {
  const inputs = step.node.inputs.map((_, index) => step.input(index));
  const axis = axisOf(step, intOf(step.node.attributes, 'axis', 1), inputs[0].shape.length);
  if (inputs.some(({ shape }) => shape[0] !== inputs[0].shape[0])) {
    throw new ModelError(
      `Concat at node ${step.node.name} joins a batch and a constant; the GPU's kernels do not. Use --device cpu.`,
    );
  }
  return [inputs.reduce((left, right) => step.engine.run(concatAxis, { left, right }, { axis }))];
}

function parts(step: ForwardStep): Resident[] {
  const input = step.input(0);
  const axis = axisOf(step, intOf(step.node.attributes, 'axis', 0), input.shape.length);
  let start = 0;
  return step.node.outputs.map((_, index) => {
    const end = start + step.outputShape(index)[axis];
    const result = step.engine.run(sliceAxis, { input }, { axis, start, end });
    start = end;
    return result;
  });
}

/** Slices of consecutive positions; the axes, starts and steps are attributes up to opset 9 and inputs from 10. */
function part(step: ForwardStep): Resident[] {
  const { shape } = step.input(0);
  const starts = listOf(step, 'starts', 1) ?? [];
  const axes = listOf(step, 'axes', 3) ?? starts.map((_, index) => index);
  if ((listOf(step, 'steps', 4) ?? []).some((stride) => stride !== 1)) {
    throw new ModelError(
      `Slice at node ${step.node.name} skips or reverses positions; the GPU's kernels do not. Use --device cpu.`,
    );
  }
  const wanted = step.outputShape(0);
  const result = axes.reduce((input, given, index) => {
    const axis = (given + shape.length) % shape.length;
    if (wanted[axis] === shape[axis]) return input;
    const start = starts[index] < 0 ? starts[index] + shape[axis] : starts[index];
    const options = { axis: axisOf(step, axis, shape.length), start, end: start + wanted[axis] };
    return step.engine.run(sliceAxis, { input }, options);
  }, step.input(0));
  return [result];
}

function surrounded(step: ForwardStep): Resident[] {
  const { shape } = step.input(0);
  const pads = listOf(step, 'pads', 1) ?? [];
  const filler = step.node.inputs[2] ? listOf(step, 'value', 2)?.[0] : fillerOf(step);
  if (stringOf(step.node.attributes, 'mode', 'constant') !== 'constant' || (filler ?? 0) !== 0) {
    throw new ModelError(
      `Pad at node ${step.node.name} pads with other values than zeros; the GPU's kernels do not. Use --device cpu.`,
    );
  }
  const result = shape.reduce((input, _, axis) => {
    const [before, after] = [pads[axis] ?? 0, pads[axis + shape.length] ?? 0];
    if (before === 0 && after === 0) return input;
    if (before < 0 || after < 0) {
      const options = { axis, start: Math.max(-before, 0), end: shape[axis] - Math.max(-after, 0) };
      const cropped = step.engine.run(sliceAxis, { input }, options);
      if (before <= 0 && after <= 0) return cropped;
      return step.engine.run(
        padAxis,
        { input: cropped },
        { axis, before: Math.max(before, 0), after: Math.max(after, 0) },
      );
    }
    return step.engine.run(padAxis, { input }, { axis: axisOf(step, axis, shape.length), before, after });
  }, step.input(0));
  return [result];
}

function fillerOf(step: ForwardStep): number {
  const attribute = step.node.attributes.value;
  return attribute && 'float' in attribute ? attribute.float : 0;
}
