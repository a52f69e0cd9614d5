import { ModelError } from '../errors.ts';
import type { GraphNode } from './graph.ts';
import { readsOf } from './node-proto.ts';

/**
 * Nodes in topological order: every node after those whose outputs it reads. Nodes that
 * are in order already keep it.
 *
 * @throws ModelError when two nodes make the same value or nodes wait for each other in a circle
 */
export function sortNodes(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const makers = makersOf(nodes);
  const sorted: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  for (const root of nodes) visit(root, { makers, sorted, state });
  return sorted;
}

/** Which node makes a value. @throws ModelError when two do */
export function makersOf(nodes: readonly GraphNode[]): ReadonlyMap<string, GraphNode> {
  const makers = new Map<string, GraphNode>();
  for (const node of nodes) {
    for (const output of node.outputs.filter((name) => name !== '')) {
      if (makers.has(output)) throw broken(node, 'outputs that no other node makes', `"${output}" a second time`);
      makers.set(output, node);
    }
  }
  return makers;
}

interface Walk {
  readonly makers: ReadonlyMap<string, GraphNode>;
  readonly sorted: GraphNode[];
  readonly state: Map<GraphNode, 'open' | 'done'>;
}

/** Depth first with a stack of its own: networks are deeper than the call stack may be. */
function visit(root: GraphNode, { makers, sorted, state }: Walk): void {
  const stack = [root];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (state.get(node) === 'done') {
      stack.pop();
      continue;
    }
    state.set(node, 'open');
    const sources = readsOf(node).flatMap((name) => makers.get(name) ?? []);
    const waiting = sources.filter((source) => state.get(source) !== 'done');
    if (waiting.length === 0) {
      state.set(node, 'done');
      sorted.push(node);
    } else {
      const circle = waiting.find((source) => state.get(source) === 'open');
      if (circle) throw broken(node, 'nodes in an order', `a circle through node "${circle.name}"`);
      stack.push(...waiting.reverse());
    }
  }
}

function broken(node: GraphNode, expected: string, got: string): ModelError {
  return new ModelError({ where: `Node "${node.name}" (${node.op})`, expected, got, next: 'Export the model again.' });
}
