import { add, type Engine, type Resident } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import type { Rule, Step } from './rule.ts';
import { nonNegativeValues } from './signs.ts';

/**
 * Walks from the logits back to a layer and returns what arrives at the layer's value.
 *
 *     start N×K at the logits  →  gradient or relevance N×C×h×w at the layer
 *
 * Only nodes between the layer and the logits are crossed, each once, in reverse order; where a value feeds several
 * nodes, what comes back from them is added.
 *
 * @param forward the values of the forward pass and the graph's constants, by name, kept on `engine`
 * @throws ModelError when the layer does not influence the logits, or an operation that must be crossed has no rule
 */
export function walk(walked: WalkRequest): Resident {
  const { graph, engine, layer, rule, start } = walked;
  const behind = valuesBehind(graph, layer);
  const path = nodesOnPath(graph, behind);
  checkPath(path, rule, graph, layer);
  const stepAt = stepMaker(walked, behind);
  const arrivals = new Map<string, Resident>([[graph.logits, start]]);
  for (const node of path) {
    const step = stepAt(node, arrivals);
    if (!step) continue;
    rule.ops[node.op](step).forEach((passed, index) => {
      if (!passed || !step.wanted[index]) return;
      const name = node.inputs[index];
      const before = arrivals.get(name);
      arrivals.set(name, before ? engine.run(add, { left: before, right: passed }, undefined) : passed);
    });
  }
  const result = arrivals.get(layer);
  if (result) return result;
  throw new ModelError(`Nothing of the logits arrives at layer ${layer}: choose a layer that the classifier reads.`);
}

export interface WalkRequest {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly forward: (name: string) => Resident;
  readonly layer: string;
  readonly rule: Rule;
  /** N×K at the logits. */
  readonly start: Resident;
}

/** Makes the step across a node of what has arrived so far; null where nothing has. */
function stepMaker({ graph, engine, forward }: WalkRequest, behind: ReadonlySet<string>) {
  const nonNegative = nonNegativeValues(graph);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node.op] as const)));
  return (node: GraphNode, arrived: ReadonlyMap<string, Resident>): Step | null => {
    const arrivals = node.outputs.map((output) => arrived.get(output) ?? null);
    const first = arrivals.find((resident) => resident !== null);
    if (!first) return null;
    return {
      node,
      input: (index) => forward(node.inputs[index]),
      output: forward(node.outputs[0]),
      outputShape: (index) => forward(node.outputs[index]).shape,
      arrived: arrivals[0] ?? first,
      arrivals,
      wanted: node.inputs.map((name) => behind.has(name)),
      nonNegative: node.inputs.map((name) => nonNegative.has(name)),
      producer: producers.get(node.inputs[0]) ?? '',
      constant: (input) => graph.constants.get(node.inputs[input]),
      engine,
    };
  };
}

/** The layer and every value computed from it. */
function valuesBehind(graph: Graph, layer: string): ReadonlySet<string> {
  const values = new Set([layer]);
  for (const node of graph.nodes) {
    if (node.inputs.some((name) => values.has(name))) for (const output of node.outputs) values.add(output);
  }
  return values;
}

/** Nodes that the logits need and the layer feeds, last first. */
function nodesOnPath(graph: Graph, behind: ReadonlySet<string>): GraphNode[] {
  const needed = new Set([graph.logits]);
  const path: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    if (!node.inputs.some((name) => behind.has(name))) continue;
    path.push(node);
    for (const name of node.inputs) if (behind.has(name)) needed.add(name);
  }
  return path;
}

function checkPath(path: readonly GraphNode[], rule: Rule, graph: Graph, layer: string): void {
  if (path.length === 0 && layer !== graph.logits) {
    throw new ModelError(
      `Layer ${layer} does not influence the logits ${graph.logits}: choose a layer that the classifier reads.`,
    );
  }
  const crossed = path.filter((node) => node.outputs.length > 0);
  const unknown = crossed.find((node) => node.domain !== '' || !Object.hasOwn(rule.ops, node.op));
  if (unknown) {
    const op = unknown.domain === '' ? unknown.op : `${unknown.domain}.${unknown.op}`;
    throw new ModelError(
      `Op ${op} at node ${unknown.name} has no rule in "${rule.name}", and the walk from the logits to ${layer} must cross it. ` +
        `It has: ${Object.keys(rule.ops).join(', ')}. Choose a layer behind that node, or score-cam, which needs no walk.`,
    );
  }
}
