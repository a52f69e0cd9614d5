import { type Engine, type Resident, type Shape, tensor } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { Constant, Graph, GraphNode } from '../onnx/graph.ts';
import { type ForwardStep, forwardOps } from './ops.ts';

/** The values of a forward pass on an engine, each computed when it is first asked for. */
export type ForwardValues = (name: string) => Resident;

/**
 * Opens a forward pass of a network on an engine.
 *
 * Nothing runs until a value is asked for, and then only what it needs; so a walk that asks for the values of a few late
 * layers computes no other.
 *
 * @param images N×C×H×W, on the engine
 * @throws ModelError when a value needs an operation that has no kernels, naming operation and node
 */
export function forwardPass(graph: Graph, engine: Engine, images: Resident): ForwardValues {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const values = new Map<string, Resident>([[graph.input.name, images]]);

  function find(name: string): Resident {
    const known = values.get(name);
    if (known) return known;
    // nodes in the graph's order, so that a deep network needs no deep recursion
    for (const node of nodesFor(graph, name, (value) => values.has(value))) compute(node);
    const constant = graph.constants.get(name);
    if (constant) values.set(name, engine.upload(floatsOf(constant, name)));
    const value = values.get(name);
    if (value) return value;
    throw new ModelError(`There is no value ${name} in the network; choose one that list layers names.`);
  }

  function compute(node: GraphNode): void {
    const op = node.domain === '' && Object.hasOwn(forwardOps, node.op) ? forwardOps[node.op] : undefined;
    if (!op) throw unsupported(node);
    const results = op(stepAt(node));
    results.forEach((result, index) => {
      values.set(node.outputs[index], result);
    });
  }

  function stepAt(node: GraphNode): ForwardStep {
    return {
      node,
      engine,
      input: (index) => find(node.inputs[index]),
      constant: (index) => graph.constants.get(node.inputs[index]),
      outputShape: (index) => withBatch(graph, node.outputs[index], images.shape[0]),
    };
  }

  function nodesFor(network: Graph, name: string, isKnown: (value: string) => boolean): readonly GraphNode[] {
    const first = producers.get(name);
    if (!first) return [];
    const needed = new Set<GraphNode>();
    const open = [first];
    for (let node = open.pop(); node; node = open.pop()) {
      if (needed.has(node)) continue;
      needed.add(node);
      for (const input of node.inputs) {
        const producer = producers.get(input);
        if (producer && !isKnown(input)) open.push(producer);
      }
    }
    return network.nodes.filter((node) => needed.has(node));
  }

  return find;
}

/** @throws ModelError when an operation that the logits need has no kernels, naming operation and node */
export function requireKernels(graph: Graph): void {
  const unknown = graph.nodes.find(({ op, domain }) => domain !== '' || !Object.hasOwn(forwardOps, op));
  if (unknown) throw unsupported(unknown);
}

function unsupported({ op, domain, name }: GraphNode): ModelError {
  return new ModelError(
    `Op ${domain === '' ? op : `${domain}.${op}`} at node ${name} has no kernels for the GPU. ` +
      `There are some for: ${Object.keys(forwardOps).join(', ')}. Compute this network with ONNX Runtime (--device cpu).`,
  );
}

/** The inferred shape of a value, for this batch. */
function withBatch(graph: Graph, name: string, batch: number): Shape {
  const shape = graph.shapes.get(name);
  if (shape) return [batch, ...shape.slice(1)];
  throw new ModelError(
    `The shape of value ${name} could not be inferred; export the model with shape inference, or use --device cpu.`,
  );
}

function floatsOf(constant: Constant, name: string) {
  if (constant.type === 'float32') return tensor(constant.data, constant.shape);
  if (constant.type === 'encoded') {
    throw new ModelError(`Constant ${name} is of a type that kernels do not compute with; use --device cpu.`);
  }
  return tensor(Float32Array.from(constant.data), constant.shape);
}
