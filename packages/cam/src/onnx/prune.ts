import { ModelError } from '../errors.ts';
import type { Constant, GraphNode } from './graph.ts';
import { readsOf } from './node-proto.ts';

/** What a network is made of. */
export interface Parts {
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, Constant>;
}

/**
 * Keeps the nodes and constants that some values need, in their order. Needs nodes in topological order.
 *
 * @param wanted names of the values
 * @param given names of values that come from outside
 * @throws ModelError when a value that is needed is made by nothing
 */
export function prune<T extends Parts>(parts: T, wanted: readonly string[], given: readonly string[]): T {
  const needed = new Set(wanted);
  const kept: GraphNode[] = [];
  for (const node of parts.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(withoutUnread(node, needed));
    for (const name of readsOf(node)) needed.add(name);
  }
  const nodes = kept.reverse();
  const constants = new Map([...parts.constants].filter(([name]) => needed.has(name)));
  checkMade({ nodes, constants }, wanted, given);
  return { ...parts, nodes, constants };
}

/** Mask, indices and training statistics that nobody reads are not asked for. */
function withoutUnread(node: GraphNode, needed: ReadonlySet<string>): GraphNode {
  if (node.domain !== '' || !optionalOutputs.has(node.op)) return node;
  const last = node.outputs.findLastIndex((name) => needed.has(name));
  return last + 1 === node.outputs.length ? node : { ...node, outputs: node.outputs.slice(0, last + 1) };
}

const optionalOutputs: ReadonlySet<string> = new Set(['BatchNormalization', 'Dropout', 'MaxPool']);

function checkMade({ nodes, constants }: Parts, wanted: readonly string[], given: readonly string[]): void {
  const made = new Set([...given, ...constants.keys(), ...nodes.flatMap(({ outputs }) => outputs)]);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== '' && !made.has(name));
    if (missing !== undefined) throw unmade(`Node "${node.name}" (${node.op})`, missing);
  }
  const missing = wanted.find((name) => !made.has(name));
  if (missing !== undefined) throw unmade('The graph', missing);
}

function unmade(where: string, name: string): ModelError {
  return new ModelError({
    where,
    expected: 'values that a node, a constant or an input makes',
    got: `"${name}", which nothing makes`,
    next: 'Check the name, or export the model again.',
  });
}
