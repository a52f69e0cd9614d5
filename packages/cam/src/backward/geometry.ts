import type { AveragePoolOptions, ConvOptions, Pair, PoolOptions, WindowOptions } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import { floatOf, intOf, intsOf } from '../onnx/attributes.ts';
import { resolvePads, windowOf } from '../onnx/shapes.ts';
import type { NodeStep } from './rule.ts';

/** Strides, pads, dilations and groups of a two-dimensional Conv, with its ONNX defaults filled in. */
export function convolutionOptions(step: NodeStep): ConvOptions {
  const weights = step.input(1).shape;
  const kernel = [weights[2], weights[3]] as const;
  return { ...slidingWindow(step, kernel), groups: intOf(step.node.attributes, 'group', 1) };
}

/** The window of a MaxPool, or of a GlobalMaxPool: the whole map. */
export function maxPoolOptions(step: NodeStep): PoolOptions {
  if (step.node.op === 'GlobalMaxPool') return wholeMap(step);
  const kernel = poolKernel(step);
  return { kernel, ...slidingWindow(step, kernel), ceilMode: intOf(step.node.attributes, 'ceil_mode', 0) === 1 };
}

/** The window of an AveragePool. */
export function averagePoolOptions(step: NodeStep): AveragePoolOptions {
  const kernel = poolKernel(step);
  const { strides, pads, dilations } = slidingWindow(step, kernel);
  if (dilations.some((dilation) => dilation !== 1)) {
    throw new ModelError(`AveragePool at node ${step.node.name} is dilated; Cambium cannot walk through it.`);
  }
  const ceilMode = intOf(step.node.attributes, 'ceil_mode', 0) === 1;
  return {
    kernel,
    strides,
    pads,
    ceilMode,
    countIncludePad: intOf(step.node.attributes, 'count_include_pad', 0) === 1,
  };
}

/**
 * Axes that a GlobalAveragePool or a ReduceMean averages over, ascending.
 *
 * @throws ModelError when the batch is among them
 */
export function meanAxes(step: NodeStep): readonly number[] {
  const rank = step.input(0).shape.length;
  if (step.node.op === 'GlobalAveragePool') return Array.from({ length: rank - 2 }, (_, axis) => axis + 2);
  const constant = step.constant(1);
  const stored = constant && constant.type !== 'encoded' ? Array.from(constant.data) : [];
  const axes = (intsOf(step.node.attributes, 'axes') ?? stored).map((axis) => (axis + rank) % rank).sort();
  if (axes.length > 0 && !axes.includes(0)) return axes;
  throw new ModelError(`ReduceMean at node ${step.node.name} averages over the batch; Cambium cannot walk through it.`);
}

/** A bound of a Clip: bounds are attributes up to opset 10 and inputs from 11. */
export function clipBound(step: NodeStep, name: 'min' | 'max', input: number): number {
  const constant = step.constant(input);
  if (constant && constant.type !== 'encoded') return constant.data[0];
  return floatOf(step.node.attributes, name, name === 'min' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
}

function wholeMap(step: NodeStep): PoolOptions {
  const [, , height, width] = step.input(0).shape;
  return { kernel: [height, width], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], ceilMode: false };
}

function poolKernel(step: NodeStep): Pair {
  const [height, width] = intsOf(step.node.attributes, 'kernel_shape') ?? [];
  return [height, width];
}

function slidingWindow(step: NodeStep, kernel: Pair): WindowOptions {
  const { shape } = step.input(0);
  if (shape.length !== 4) {
    throw new ModelError(
      `${step.node.op} at node ${step.node.name} works on ${shape.length} axes; Cambium walks through batch×channels×height×width.`,
    );
  }
  const { strides, dilations } = windowOf(step.node.attributes, kernel);
  const [top, left, bottom, right] = resolvePads(step.node.attributes, shape.slice(2), kernel, strides, dilations);
  return {
    strides: [strides[0], strides[1]],
    dilations: [dilations[0], dilations[1]],
    pads: [top, left, bottom, right],
  };
}
