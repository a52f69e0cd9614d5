import { intOf, withInputs } from './attributes.ts';
import { dataTypes } from './data-types.ts';
import type { Draft } from './draft.ts';
import { evaluate } from './evaluate/evaluate.ts';
import type { Constant, GraphNode } from './graph.ts';
import { capturesOf, readsOf } from './node-proto.ts';

/** Arithmetic on more numbers is left to the runtime, which has the same constants. */
const LIMIT = 2 ** 22;

/**
 * Computes every node that reads constants only (Constant nodes, dequantised and transposed weights, shape arithmetic
 * that no input takes part in) and removes the nodes that do nothing at inference: Identity, Dropout, casts of floats
 * to float.
 *
 * Needs nodes in topological order. Values that a subgraph takes from outside keep their names and makers.
 */
export function foldConstants(draft: Draft): Draft {
  const constants = new Map(draft.constants);
  const renamed = new Map<string, string>();
  const floats = new Set(draft.inputs.map(({ name }) => name));
  const pinned = new Set(draft.nodes.flatMap(capturesOf));
  const read = new Set([...draft.nodes.flatMap(readsOf), ...draft.outputs.map(({ name }) => name)]);
  const nodes: GraphNode[] = [];
  for (const original of draft.nodes) {
    const node = withInputs(
      original,
      original.inputs.map((name) => renamed.get(name) ?? name),
    );
    const constant = folded(node, constants, draft.opset);
    if (constant) {
      constants.set(node.outputs[0], constant);
    } else if (!pinned.has(node.outputs[0]) && doesNothing(node, floats, read)) {
      renamed.set(node.outputs[0], node.inputs[0]);
    } else {
      nodes.push(node);
      markFloats(node, floats, constants);
    }
  }
  const outputs = draft.outputs.map((output) => ({ ...output, name: renamed.get(output.name) ?? output.name }));
  return { ...draft, nodes, constants, outputs };
}

function folded(node: GraphNode, constants: ReadonlyMap<string, Constant>, opset: number): Constant | undefined {
  const given = node.inputs.filter((name) => name !== '');
  if (!given.every((name) => constants.has(name))) return undefined;
  const inputs = node.inputs.map((name) => {
    const constant = constants.get(name);
    return constant ? { shape: constant.shape, constant } : {};
  });
  return evaluate({ node, inputs, opset }, LIMIT).constant;
}

function doesNothing(node: GraphNode, floats: ReadonlySet<string>, read: ReadonlySet<string>): boolean {
  if (node.domain !== '') return false;
  if (node.op === 'Identity') return true;
  if (node.op === 'Cast') return intOf(node.attributes, 'to', 0) === dataTypes.float32 && floats.has(node.inputs[0]);
  if (node.op !== 'Dropout' || (node.inputs[2] ?? '') !== '') return false;
  return !read.has(node.outputs[1] ?? '');
}

/** Remembers which values hold floats: first outputs have the type of the first input, but for those listed below. */
function markFloats(node: GraphNode, floats: Set<string>, constants: ReadonlyMap<string, Constant>): void {
  const isFloat = (name: string) => floats.has(name) || constants.get(name)?.type === 'float32';
  if (node.domain !== '' || otherTypes.has(node.op)) return;
  const yes =
    node.op === 'Cast' ? intOf(node.attributes, 'to', 0) === dataTypes.float32 : isFloat(node.inputs[0] ?? '');
  if (yes) for (const output of node.op === 'Split' ? node.outputs : node.outputs.slice(0, 1)) floats.add(output);
}

const otherTypes: ReadonlySet<string> = new Set(
  (
    'And ArgMax ArgMin CastLike Equal Greater GreaterOrEqual If IsInf IsNaN Less LessOrEqual Loop NonZero Not Or ' +
    'QuantizeLinear Scan Shape Size TopK Where Xor'
  ).split(' '),
);
