import type { Graph, GraphNode } from '../onnx/graph.ts';

/**
 * Names of the values that cannot be negative whatever the image, so that the negative half of a z⁺ rule is known to be
 * zero and need not be computed.
 */
export function nonNegativeValues(graph: Graph): ReadonlySet<string> {
  const known = new Set<string>();
  for (const node of graph.nodes) {
    if (isNonNegative(node, known, graph)) known.add(node.outputs[0]);
  }
  return known;
}

function isNonNegative(node: GraphNode, known: ReadonlySet<string>, graph: Graph): boolean {
  if (node.op === 'Relu' || node.op === 'Sigmoid' || node.op === 'HardSigmoid') return true;
  if (node.op === 'Clip') return clipFloor(node, graph) >= 0;
  if (NOT_BELOW_INPUTS.has(node.op)) return known.has(node.inputs[0]);
  if (NOT_BELOW_ALL_INPUTS.has(node.op)) return node.inputs.every((name) => known.has(name));
  return false;
}

function clipFloor(node: GraphNode, graph: Graph): number {
  const attribute = node.attributes.min;
  if (attribute && 'float' in attribute) return attribute.float;
  const constant = node.inputs[1] ? graph.constants.get(node.inputs[1]) : undefined;
  return constant && constant.type !== 'encoded' ? constant.data[0] : Number.NEGATIVE_INFINITY;
}

const NOT_BELOW_INPUTS = new Set([
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'ReduceMean',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Identity',
  'Dropout',
]);
const NOT_BELOW_ALL_INPUTS = new Set(['Add', 'Sum', 'Mul', 'Concat']);
