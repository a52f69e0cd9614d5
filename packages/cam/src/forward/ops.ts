import {
  add,
  channelMeans,
  divide,
  maxPool,
  multiply,
  positivePart,
  type Resident,
  rectify,
  reshape,
  type Shape,
  sigmoid,
  subtract,
  tensor,
} from '@cambium/gpu-kernels';
import { plus, scaled, times } from '../backward/arithmetic.ts';
import { batchNormGain, batchNormShift } from '../backward/batch-norm.ts';
import { clipBound, maxPoolOptions, meanAxes } from '../backward/geometry.ts';
import { linearMap } from '../backward/linear-map.ts';
import { averageOf } from '../backward/pooling.ts';
import type { NodeStep } from '../backward/rule.ts';
import { viewAs } from '../backward/sum-like.ts';
import { floatOf } from '../onnx/attributes.ts';
import { moving } from './moving.ts';

/** One node of a forward pass. */
export interface ForwardStep extends NodeStep {
  /** Inferred shape of an output, for the batch of this pass. */
  outputShape(index: number): Shape;
}

/** The values of a node's outputs, in their order. */
export type ForwardOp = (step: ForwardStep) => readonly Resident[];

const unlimited = { floor: Number.NEGATIVE_INFINITY, ceiling: Number.POSITIVE_INFINITY, slope: 0 };

/**
 * How each operation is computed with kernels: the table of the forward pass, as a `Rule` is one of a backward pass.
 *
 * @source ONNX operators, https://onnx.ai/onnx/operators/
 */
export const forwardOps: { readonly [op: string]: ForwardOp } = {
  ...moving,
  Conv: linear,
  Gemm: linear,
  MatMul: linear,
  BatchNormalization: (step) => {
    const scaledInput = times(step, step.input(0), step.engine.upload(batchNormGain(step)));
    return [plus(step, scaledInput, step.engine.upload(batchNormShift(step)))];
  },
  Relu: (step) => [step.engine.run(positivePart, { input: step.input(0) }, undefined)],
  LeakyRelu: (step) => [bent(step, { floor: 0, slope: floatOf(step.node.attributes, 'alpha', 0.01) })],
  Clip: (step) => [bent(step, { floor: clipBound(step, 'min', 1), ceiling: clipBound(step, 'max', 2) })],
  Sigmoid: (step) => [step.engine.run(sigmoid, { input: step.input(0) }, undefined)],
  HardSigmoid: (step) => [
    hardSigmoid(step, floatOf(step.node.attributes, 'alpha', 0.2), floatOf(step.node.attributes, 'beta', 0.5)),
  ],
  HardSwish: (step) => [times(step, step.input(0), hardSigmoid(step, 1 / 6, 0.5))],
  Add: sum,
  Sum: sum,
  Sub: (step) => [step.engine.run(subtract, { left: step.input(0), right: step.input(1) }, undefined)],
  Mul: (step) => [step.engine.run(multiply, { left: step.input(0), right: step.input(1) }, undefined)],
  Div: (step) => [step.engine.run(divide, { left: step.input(0), right: step.input(1) }, undefined)],
  MaxPool: largest,
  GlobalMaxPool: largest,
  AveragePool: (step) => [averageOf(step, step.input(0))],
  GlobalAveragePool: (step) => {
    const input = step.input(0);
    if (input.shape.length !== 4) return [averageOf(step, input)];
    const means = step.engine.run(channelMeans, { input }, undefined);
    return [step.engine.run(reshape, { input: means }, { shape: [...means.shape, 1, 1] })];
  },
  ReduceMean: (step) => {
    const input = step.input(0);
    const overSpace = input.shape.length === 4 && meanAxes(step).join() === '2,3';
    const means = overSpace ? step.engine.run(channelMeans, { input }, undefined) : averageOf(step, input);
    return [viewAs(step, means, step.outputShape(0))];
  },
};

function linear(step: ForwardStep): Resident[] {
  const map = linearMap(step);
  return [map.apply(map.input, map.weights, map.bias)];
}

function sum(step: ForwardStep): Resident[] {
  const inputs = step.node.inputs.map((_, index) => step.input(index));
  return [inputs.reduce((left, right) => step.engine.run(add, { left, right }, undefined))];
}

function largest(step: ForwardStep): Resident[] {
  return [step.engine.run(maxPool, { input: step.input(0) }, maxPoolOptions(step))];
}

function bent(step: ForwardStep, bends: Partial<typeof unlimited>): Resident {
  return step.engine.run(rectify, { input: step.input(0) }, { ...unlimited, ...bends });
}

/** max(0, min(1, αx + β)) */
function hardSigmoid(step: ForwardStep, alpha: number, beta: number): Resident {
  const line = plus(step, scaled(step, step.input(0), alpha), step.engine.upload(tensor([beta], [1])));
  return step.engine.run(rectify, { input: line }, { floor: 0, ceiling: 1, slope: 0 });
}
