import type { Shape } from '@cambium/gpu-kernels';
import { floatOf, intOf } from './attributes.ts';
import type { Constant, Graph, GraphNode } from './graph.ts';
import { freshName } from './names.ts';
import { readsOf } from './node-proto.ts';

/**
 * Merges every BatchNormalization into the Conv or Gemm before it, where nothing else reads that node's output:
 *
 *     γ·(W·x + b − μ)/√(σ² + ε) + β  =  (s·W)·x + s·(b − μ) + β,   s = γ/√(σ² + ε)
 *
 * The merged node makes the value that the BatchNormalization made; the value between is gone. Computed in float64,
 * rounded to float32 once. Nodes that cannot be merged stay as they are.
 *
 * @source Ioffe & Szegedy 2015, arXiv 1502.03167, algorithm 2
 */
export function mergeBatchNorm(graph: Graph): Graph {
  const readers = Map.groupBy(
    graph.nodes.flatMap((node) => readsOf(node).map((name) => ({ name, node }))),
    ({ name }) => name,
  );
  const constants = new Map(graph.constants);
  const merged = new Map<GraphNode, GraphNode | undefined>();
  for (const linear of graph.nodes) {
    const [output] = linear.outputs;
    const users = readers.get(output) ?? [];
    const norm = users.length === 1 && output !== graph.logits ? users[0].node : undefined;
    if (!norm || norm.inputs[0] !== output) continue;
    const parts = mergedParts(linear, norm, constants);
    if (!parts) continue;
    merged.set(linear, undefined);
    merged.set(norm, nodeWith(linear, norm, parts, { ...graph, constants }));
  }
  const nodes = graph.nodes.flatMap((node) => (merged.has(node) ? (merged.get(node) ?? []) : node));
  const used = new Set(nodes.flatMap(readsOf));
  return { ...graph, nodes, constants: new Map([...constants].filter(([name]) => used.has(name))) };
}

interface Merged {
  readonly weights: Constant;
  readonly bias: Constant;
}

function mergedParts(linear: GraphNode, norm: GraphNode, constants: ReadonlyMap<string, Constant>): Merged | undefined {
  const weights = floats(constants, linear.inputs[1]);
  const axis = weights && outputAxis(linear, weights.shape);
  const affine = affineOf(norm, constants);
  if (!weights || axis === undefined || affine?.scale.length !== weights.shape[axis]) return undefined;
  const { scale, shift } = affine;
  const bias = biasOf(linear, constants, scale.length);
  if (!bias) return undefined;
  return {
    weights: { type: 'float32', shape: weights.shape, data: scaled(weights.data, weights.shape, axis, scale) },
    bias: { type: 'float32', shape: [scale.length], data: Float32Array.from(scale, (s, k) => s * bias[k] + shift[k]) },
  };
}

/** The axis of a Conv's or Gemm's weights that counts the outputs. */
export function outputAxis({ op, domain, attributes }: GraphNode, shape: Shape): number | undefined {
  if (domain !== '') return undefined;
  if (op === 'Conv') return 0;
  return op === 'Gemm' && shape.length === 2 ? 1 - intOf(attributes, 'transB', 0) : undefined;
}

/** A BatchNormalization at inference as scale·x + shift, one of each for every channel. */
function affineOf(norm: GraphNode, constants: ReadonlyMap<string, Constant>) {
  const { op, domain, attributes } = norm;
  const trains = intOf(attributes, 'training_mode', 0) === 1 || intOf(attributes, 'spatial', 1) === 0;
  if (op !== 'BatchNormalization' || domain !== '' || trains) return undefined;
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => floats(constants, name)?.data);
  if (!gamma || !beta || !mean || !variance) return undefined;
  const epsilon = floatOf(attributes, 'epsilon', 1e-5);
  const scale = Float64Array.from(gamma, (value, k) => value / Math.sqrt(variance[k] + epsilon));
  return { scale, shift: Float64Array.from(beta, (value, k) => value - scale[k] * mean[k]) };
}

/**
 * The bias as a Conv or Gemm adds it, one number for each output and 0 without one; undefined where it is not constant
 * or of another form.
 */
export function biasOf(
  linear: GraphNode,
  constants: ReadonlyMap<string, Constant>,
  count: number,
): ArrayLike<number> | undefined {
  const name = linear.inputs[2] ?? '';
  if (name === '') return new Float64Array(count);
  const bias = floats(constants, name);
  const isRow = bias && bias.data.length === (bias.shape.at(-1) ?? 1);
  if (!isRow || (bias.data.length !== 1 && bias.data.length !== count)) return undefined;
  const factor = linear.op === 'Gemm' ? floatOf(linear.attributes, 'beta', 1) : 1;
  return Float64Array.from({ length: count }, (_, k) => factor * bias.data[bias.data.length === 1 ? 0 : k]);
}

function scaled(data: Float32Array, shape: Shape, axis: number, scale: Float64Array): Float32Array<ArrayBuffer> {
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const result = new Float32Array(data.length);
  for (let start = 0, block = 0; start < data.length; start += inner, block++) {
    const factor = scale[block % scale.length];
    for (let at = start; at < start + inner; at++) result[at] = data[at] * factor;
  }
  return result;
}

function nodeWith(
  linear: GraphNode,
  norm: GraphNode,
  parts: Merged,
  graph: Graph & { constants: Map<string, Constant> },
): GraphNode {
  const taken = { nodes: graph.nodes, constants: graph.constants, inputs: [graph.input] };
  const weights = freshName(taken, `${norm.outputs[0]}/weights`);
  const bias = freshName(taken, `${norm.outputs[0]}/bias`);
  graph.constants.set(weights, parts.weights).set(bias, parts.bias);
  const attributes = linear.op === 'Gemm' ? { ...linear.attributes, beta: { float: 1 } } : linear.attributes;
  return { ...linear, inputs: [linear.inputs[0], weights, bias], outputs: [norm.outputs[0]], attributes };
}

/** A constant of float32 under that name. */
export function floats(constants: ReadonlyMap<string, Constant>, name: string | undefined) {
  const constant = constants.get(name ?? '');
  return constant?.type === 'float32' ? constant : undefined;
}
