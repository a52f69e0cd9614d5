import type { Engine, Resident, Shape } from '@cambium/gpu-kernels';
import type { Constant, GraphNode } from '../onnx/graph.ts';

/**
 * How what arrives at a node's outputs is passed on to its inputs: the gradient, or a rule of layer-wise relevance
 * propagation. A rule is a table from operation to a function that runs kernels; to make another, spread one and
 * replace the operations that differ.
 */
export interface Rule {
  readonly name: string;
  /** Citation, with the equation or table. */
  readonly source: string;
  /** True when the rule is defined on a network whose batch normalisations are merged into the convolutions. */
  readonly mergeBatchNorm: boolean;
  /** What the walk starts from at the logits, for one image: K numbers. */
  start(classes: number, target: number): Float32Array<ArrayBuffer>;
  readonly ops: { readonly [op: string]: BackwardOp };
}

/** What arrives at each input of the node; null for inputs that the walk does not need. */
export type BackwardOp = (step: Step) => readonly (Resident | null)[];

/** One node of a network and what it reads, on an engine. */
export interface NodeStep {
  readonly node: GraphNode;
  /** Value of an input in the forward pass, or a constant, on the engine. */
  input(index: number): Resident;
  /** The numbers of an input that is constant. */
  constant(input: number): Constant | undefined;
  readonly engine: Engine;
}

/** One node of the walk: its values of the forward pass and what arrived at its output. */
export interface Step extends NodeStep {
  /** The node's first output. */
  readonly output: Resident;
  /** Shape of any of its outputs. */
  outputShape(index: number): Shape;
  /** Arrived at the node's first output. */
  readonly arrived: Resident;
  /** Arrived at each output; null where nothing did. */
  readonly arrivals: readonly (Resident | null)[];
  /** Whether the layer that is walked to lies behind an input. */
  readonly wanted: readonly boolean[];
  /** Whether an input is a value that cannot be negative, such as the output of a ReLU. */
  readonly nonNegative: readonly boolean[];
  /** Operator type of the node that made the first input; empty for the graph's input. */
  readonly producer: string;
}

/** A start of 1 at the target and 0 elsewhere. */
export function oneHot(classes: number, target: number): Float32Array<ArrayBuffer> {
  const start = new Float32Array(classes);
  start[target] = 1;
  return start;
}
