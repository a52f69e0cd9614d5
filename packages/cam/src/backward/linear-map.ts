import { add, conv2d, conv2dTranspose, matmul, multiply, type Resident, tensor, zeros } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import { floatOf, intOf } from '../onnx/attributes.ts';
import { convolutionOptions } from './geometry.ts';
import type { NodeStep } from './rule.ts';

/** A node that is linear in its first input, in the form that all relevance rules need. */
export interface LinearMap {
  readonly input: Resident;
  readonly weights: Resident;
  /** Null where the node has none. */
  readonly bias: Resident | null;
  /** weights · input + bias */
  apply(input: Resident, weights: Resident, bias: Resident | null): Resident;
  /** weightsᵀ · output: the gradient of `apply` with respect to its input. */
  back(output: Resident, weights: Resident): Resident;
}

/**
 * Reads a Conv, Gemm or MatMul node as a linear map.
 *
 * @throws ModelError when the weights are not constant or the layout is one that classifiers do not use
 */
export function linearMap(step: NodeStep): LinearMap {
  if (!step.constant(1)) {
    throw new ModelError(
      `${step.node.op} at node ${step.node.name} multiplies two computed values; only constant weights can be walked through.`,
    );
  }
  return step.node.op === 'Conv' ? convolution(step) : matrixProduct(step);
}

function convolution(step: NodeStep): LinearMap {
  const { engine } = step;
  const input = step.input(0);
  const options = convolutionOptions(step);
  const outputSize = [input.shape[2], input.shape[3]] as const;
  const weights = step.input(1);
  const none = () => engine.upload(zeros(weights.shape[0]));
  return {
    input,
    weights,
    bias: step.node.inputs[2] ? step.input(2) : null,
    apply: (x, w, b) => engine.run(conv2d, { input: x, weights: w, bias: b ?? none() }, options),
    back: (y, w) => engine.run(conv2dTranspose, { input: y, weights: w }, { ...options, outputSize }),
  };
}

function matrixProduct(step: NodeStep): LinearMap {
  const { engine, node } = step;
  const input = step.input(0);
  const transposed = node.op === 'Gemm' && intOf(node.attributes, 'transB', 0) === 1;
  if (input.shape.length !== 2 || step.input(1).shape.length !== 2 || intOf(node.attributes, 'transA', 0) === 1) {
    throw new ModelError(
      `${node.op} at node ${node.name} is not a plain product of batch×features and a matrix; Cambium cannot walk through it.`,
    );
  }
  const scaled = (resident: Resident, factor: number): Resident =>
    factor === 1
      ? resident
      : engine.run(multiply, { left: resident, right: engine.upload(tensor([factor], [1])) }, undefined);
  return {
    input,
    weights: scaled(step.input(1), floatOf(node.attributes, 'alpha', 1)),
    bias: node.op === 'Gemm' && node.inputs[2] ? scaled(step.input(2), floatOf(node.attributes, 'beta', 1)) : null,
    apply: (x, w, b) => {
      const product = engine.run(matmul, { left: x, right: w }, { transposeRight: transposed });
      return b ? engine.run(add, { left: product, right: b }, undefined) : product;
    },
    back: (y, w) => engine.run(matmul, { left: y, right: w }, { transposeRight: !transposed }),
  };
}
