import type { Shape } from '@cambium/gpu-kernels';
import { intOf, intsOf, stringOf } from '../attributes.ts';
import type { GraphNode } from '../graph.ts';
import { fromFirst, misfit, type ShapeQuery, type ShapeRule } from './rule.ts';

/** A sliding window over the spatial axes of an input. */
export interface Window {
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
}

/**
 * The pads that a node means, all begins and then all ends, with `auto_pad` worked out.
 *
 * SAME makes ⌈size/stride⌉ outputs and puts an odd pad at the end (UPPER) or the begin (LOWER); VALID pads nothing.
 *
 * @param size lengths of the input's spatial axes
 * @source ONNX operators Conv, MaxPool and AveragePool, attribute auto_pad
 */
export function resolvePads(
  attributes: GraphNode['attributes'],
  size: Shape,
  kernel: Shape,
  strides: Shape = ones(size),
  dilations: Shape = ones(size),
): readonly number[] {
  const mode = stringOf(attributes, 'auto_pad', 'NOTSET');
  if (mode === 'VALID') return [...zeros(size), ...zeros(size)];
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER')
    return intsOf(attributes, 'pads') ?? [...zeros(size), ...zeros(size)];
  const totals = size.map((length, axis) => {
    const outputs = Math.ceil(length / strides[axis]);
    return Math.max(0, (outputs - 1) * strides[axis] + reach(kernel[axis], dilations[axis]) - length);
  });
  const smaller = totals.map((total) => Math.floor(total / 2));
  const larger = totals.map((total) => Math.ceil(total / 2));
  return mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller];
}

/** Conv: N×C×… and O×(C/group)×kernel → N×O×…. */
export const convShape: ShapeRule = (query) => {
  const [input, weights] = query.inputs.map(({ shape }) => shape);
  if (!input || !weights) return [];
  const { attributes } = query.node;
  const channels = weights[1] * intOf(attributes, 'group', 1);
  if (input.length !== weights.length || input[1] !== channels) {
    throw misfit(query, `${weights.length} axes and ${channels} channels`, `[${input.join(', ')}]`);
  }
  return [[input[0], weights[0], ...slide(query, input.slice(2), weights.slice(2))]];
};

/** ConvTranspose: N×C×… and C×(O/group)×kernel → N×O×…. */
export const convTransposeShape: ShapeRule = (query) => {
  const [input, weights] = query.inputs.map(({ shape }) => shape);
  if (!input || !weights) return [];
  const { attributes } = query.node;
  if (input.length !== weights.length || input[1] !== weights[0]) {
    throw misfit(query, `${weights.length} axes and ${weights[0]} channels`, `[${input.join(', ')}]`);
  }
  return [[input[0], weights[1] * intOf(attributes, 'group', 1), ...spread(query, input.slice(2), weights.slice(2))]];
};

/** MaxPool, AveragePool and LpPool: N×C×… → N×C×…. */
export const poolShape: ShapeRule = (query) => {
  const input = query.inputs[0]?.shape;
  const kernel = intsOf(query.node.attributes, 'kernel_shape');
  if (!input || !kernel) return [];
  if (input.length !== kernel.length + 2) throw misfit(query, `${kernel.length + 2} axes`, `[${input.join(', ')}]`);
  const output = [input[0], input[1], ...slide(query, input.slice(2), kernel)];
  return [output, output];
};

/** GlobalAveragePool and its like: N×C×… → N×C×1×…. */
export const globalPoolShape: ShapeRule = fromFirst((shape) => shape.map((length, axis) => (axis < 2 ? length : 1)));

function slide(query: ShapeQuery, size: Shape, kernel: Shape): Shape {
  const { attributes } = query.node;
  const { strides, dilations } = windowOf(attributes, kernel);
  const pads = resolvePads(attributes, size, kernel, strides, dilations);
  const round = intOf(attributes, 'ceil_mode', 0) === 1 ? Math.ceil : Math.floor;
  return size.map((length, axis) => {
    const padded = length + pads[axis] + pads[axis + size.length];
    const steps = round((padded - reach(kernel[axis], dilations[axis])) / strides[axis]);
    // A window that rounding up added counts only if it begins on the input or the pad before it.
    const count = round === Math.ceil && steps * strides[axis] >= length + pads[axis] ? steps : steps + 1;
    if (!(count > 0))
      throw misfit(query, `an input of at least ${kernel[axis]} along axis ${axis + 2}`, String(length));
    return count;
  });
}

function spread(query: ShapeQuery, size: Shape, kernel: Shape): Shape {
  const { attributes } = query.node;
  const target = intsOf(attributes, 'output_shape');
  if (target) return target.slice(-size.length);
  const { strides, dilations } = windowOf(attributes, kernel);
  const full = size.map((length, axis) => strides[axis] * (length - 1) + reach(kernel[axis], dilations[axis]));
  if (stringOf(attributes, 'auto_pad', 'NOTSET').startsWith('SAME')) {
    return full.map((length, axis) => Math.min(length, size[axis] * strides[axis]));
  }
  const pads = resolvePads(attributes, size, kernel);
  const extra = intsOf(attributes, 'output_padding') ?? zeros(size);
  return full.map((length, axis) => length + extra[axis] - pads[axis] - pads[axis + size.length]);
}

/** The window of a node, strides and dilations 1 where it names none. */
export function windowOf(attributes: GraphNode['attributes'], kernel: Shape): Window {
  const strides = intsOf(attributes, 'strides') ?? ones(kernel);
  const dilations = intsOf(attributes, 'dilations') ?? ones(kernel);
  return { kernel, strides, dilations };
}

/** Length of the input that a dilated kernel sees at once. */
export function reach(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

function ones(like: Shape): Shape {
  return like.map(() => 1);
}

function zeros(like: Shape): Shape {
  return like.map(() => 0);
}
