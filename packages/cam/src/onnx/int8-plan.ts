import { intOf } from './attributes.ts';
import { clipBounds } from './clip-bounds.ts';
import { biasOf, floats, outputAxis } from './fold-batch-norm.ts';
import type { Graph, GraphNode } from './graph.ts';
import { readsOf } from './node-proto.ts';

/** What an int8 network computes in integers and holds in eight bits. */
export interface Int8Plan {
  /** Convolutions and matrix products, with the axis of their weights that counts the outputs. */
  readonly linear: ReadonlyMap<GraphNode, number>;
  /** ReLUs that rounding to their output's range replaces. */
  readonly rectifiers: ReadonlySet<GraphNode>;
  /** Each value held in eight bits, and the value whose range it has: itself, or what a pooling took it from. */
  readonly rangeOf: ReadonlyMap<string, string>;
}

/**
 * Chooses what is held in eight bits: the inputs of convolutions and matrix products with constant weights, and the
 * outputs of convolutions, behind a ReLU that nothing else shares them with. Logits are not.
 *
 * @param graph batch normalisations merged, nodes in topological order
 */
export function planInt8(graph: Graph): Int8Plan {
  const linear = new Map(graph.nodes.flatMap((node) => linearAxis(graph, node) ?? []));
  const readers = Map.groupBy(
    graph.nodes.flatMap((node) => readsOf(node).map((name) => ({ name, node }))),
    ({ name }) => name,
  );
  const held = new Set<string>();
  for (const node of linear.keys()) {
    held.add(node.inputs[0]);
    if (node.op !== 'Conv') continue;
    const users = readers.get(node.outputs[0]) ?? [];
    const only = users.length === 1 && isRectifier(graph, users[0].node) ? users[0].node : node;
    held.add(only.outputs[0]);
  }
  held.delete(graph.logits);
  const made = graph.nodes.filter((node) => held.has(node.outputs[0]));
  return {
    linear,
    rectifiers: new Set(made.filter((node) => isRectifier(graph, node) && !held.has(node.inputs[0]))),
    rangeOf: rangesOf(made, held),
  };
}

/** A node that is a product of weights and its first input, as ONNX Runtime computes it in integers. */
function linearAxis({ constants }: Graph, node: GraphNode): [GraphNode, number][] | undefined {
  const weights = floats(constants, node.inputs[1]);
  if (!weights || constants.has(node.inputs[0])) return undefined;
  if (node.op === 'MatMul' && node.domain === '' && weights.shape.length === 2) return [[node, 1]];
  const axis = outputAxis(node, weights.shape);
  const plain = intOf(node.attributes, 'transA', 0) === 0;
  if (axis === undefined || !plain || !biasOf(node, constants, weights.shape[axis])) return undefined;
  return [[node, axis]];
}

/** Whether a node only cuts off what lies outside a range that holds 0. */
function isRectifier({ constants }: Graph, node: GraphNode): boolean {
  if (node.domain !== '') return false;
  if (node.op === 'Relu') return true;
  if (node.op !== 'Clip') return false;
  const [low, high] = clipBounds(node, constants);
  return low <= 0 && high >= 0;
}

/** @param made nodes that make values held in eight bits, in topological order */
function rangesOf(made: readonly GraphNode[], held: ReadonlySet<string>): ReadonlyMap<string, string> {
  const rangeOf = new Map([...held].map((value) => [value, value]));
  for (const { op, domain, inputs, outputs } of made) {
    const source = domain === '' && SELECTING.has(op) ? rangeOf.get(inputs[0]) : undefined;
    if (source !== undefined) rangeOf.set(outputs[0], source);
  }
  return rangeOf;
}

/** Operations whose outputs are some of their inputs: on one scale they need no arithmetic. */
const SELECTING: ReadonlySet<string> = new Set(['MaxPool', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Transpose']);
