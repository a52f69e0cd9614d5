import { ModelError, NameError } from './errors.ts';
import { recogniseFamily } from './families/index.ts';
import type { Graph } from './onnx/graph.ts';

/** A value that a class activation map can be made at. */
export interface Layer {
  /** What to call it: the family's short name, or the value's own. */
  readonly name: string;
  /** The value in the graph. */
  readonly value: string;
  /** channels×height×width, or undefined where it could not be inferred. */
  readonly shape: readonly [number, number, number] | undefined;
  /** True for the short names of the family. */
  readonly family: boolean;
}

/**
 * The layers of a network: its family's first, then every value of channels×height×width that the logits are computed
 * from, in the graph's order.
 */
export function listLayers(graph: Graph): readonly Layer[] {
  const known = listed.get(graph);
  if (known) return known;
  const layers = layersOf(graph);
  listed.set(graph, layers);
  return layers;
}

// every probe of an image resolves names, and a graph does not change
const listed = new WeakMap<Graph, readonly Layer[]>();

function layersOf(graph: Graph): readonly Layer[] {
  const named = Object.entries(recogniseFamily(graph)?.layers(graph) ?? {});
  const short = named.map(([name, value]) => ({ name, value, shape: mapShape(graph, value), family: true }));
  const read = valuesRead(graph);
  const values = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((value) => read.has(value) && mapShape(graph, value) !== undefined);
  return [...short, ...values.map((value) => ({ name: value, value, shape: mapShape(graph, value), family: false }))];
}

/**
 * The value that a layer's name stands for: a short name of the family, or a value of the graph.
 *
 * @throws NameError when there is no such layer, with the nearest that are
 * @throws ModelError when the value is known not to be a map of channels×height×width
 */
export function resolveLayer(graph: Graph, name: string): string {
  const layers = listLayers(graph);
  const found = layers.find((layer) => layer.name === name);
  if (found) return found.value;
  if (!graph.nodes.some((node) => node.outputs.includes(name))) {
    throw new NameError('layer', name, [...new Set(layers.map((layer) => layer.name))]);
  }
  const shape = graph.shapes.get(name);
  if (!shape) return name;
  throw new ModelError(
    `Layer ${name} has shape [${shape.join(', ')}], batch first; a class activation map needs a layer of batch×channels×height×width.`,
  );
}

/** The logits and every value that they are computed from. */
function valuesRead(graph: Graph): ReadonlySet<string> {
  const read = new Set([graph.logits]);
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.some((output) => read.has(output))) for (const input of node.inputs) read.add(input);
  }
  return read;
}

function mapShape(graph: Graph, value: string): readonly [number, number, number] | undefined {
  const shape = graph.shapes.get(value);
  return shape?.length === 4 ? [shape[1], shape[2], shape[3]] : undefined;
}
