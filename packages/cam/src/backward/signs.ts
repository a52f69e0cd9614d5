import { clipBounds } from '../onnx/clip-bounds.ts';
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
  if (node.op === 'Clip') return clipBounds(node, graph.constants)[0] >= 0;
  if (NOT_BELOW_INPUTS.has(node.op)) return known.has(node.inputs[0]);
  if (NOT_BELOW_ALL_INPUTS.has(node.op)) return node.inputs.every((name) => known.has(name));
  return false;
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
