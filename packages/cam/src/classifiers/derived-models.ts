import {
  type Kernel,
  mapNamed,
  type OnnxEngine,
  onnxEngine,
  type Resident,
  type VariantBatch,
} from '@cambium/gpu-kernels';
import { type RuleName, rules } from '../backward/rules/index.ts';
import { walk } from '../backward/walk.ts';
import { ModelError } from '../errors.ts';
import { mergeBatchNorm } from '../onnx/fold-batch-norm.ts';
import type { Graph } from '../onnx/graph.ts';
import { writeModel } from '../onnx/write.ts';

/** An ONNX model that answers one question about a network, and the names under which its answers come. */
export interface DerivedModel {
  readonly bytes: Uint8Array;
  readonly outputs: readonly string[];
}

/** Logits, and the values of some layers. */
export function forwardModel(graph: Graph, layers: readonly string[]): DerivedModel {
  const outputs = [graph.logits, ...layers.filter((layer) => layer !== graph.logits)];
  return { bytes: writeModel(graph, { outputs }), outputs };
}

/** Name of the input from which a backward model starts: N×K. */
export const START = 'cambium/start';

/**
 * The network with a backward walk written behind it: logits, values at the layer, and what arrives there.
 *
 * The forward pass and the walk share every value, and weights stand in the file once: what a rule needs of them (their
 * positive part, their rotation) is traced as nodes that the runtime folds when it compiles.
 */
export function backwardModel(graph: Graph, layer: string, rule: RuleName): DerivedModel {
  const { network, engine, arrived } = traceWalk(graph, layer, rule);
  const outputs = [network.logits, layer, engine.nameOf(arrived)];
  const inputs = [{ name: START, shape: ['batch', shapeOf(network, network.logits)[1]] as const }];
  return { bytes: writeModel(network, { outputs, inputs, ...collected(engine) }), outputs };
}

/**
 * Makes sure, before anything is computed, that a rule can be walked from the logits back to a layer.
 *
 * @throws ModelError naming the first operation and node that it cannot cross
 */
export function requireWalk(graph: Graph, layer: string, rule: RuleName): void {
  traceWalk(graph, layer, rule);
}

function traceWalk(graph: Graph, layer: string, ruleName: RuleName) {
  const rule = rules[ruleName];
  const network = rule.mergeBatchNorm ? mergeBatchNorm(graph) : graph;
  requireLayer(network, layer, ruleName);
  const engine = onnxEngine(network.opset);
  const start = engine.value(START, [1, shapeOf(network, network.logits)[1]]);
  const forward = (name: string): Resident => engine.value(name, shapeOf(network, name));
  return { network, engine, arrived: walk({ graph: network, engine, forward, layer, rule, start }) };
}

/**
 * A kernel of image variants with the network behind it. The model's inputs are the kernel's, named by `variantInput`;
 * only the rows differ from variant to variant.
 */
export function variantModel<In extends string, U extends string, O>(
  graph: Graph,
  batch: VariantBatch<In, U, O>,
): DerivedModel {
  const { kernel, inputs, rows, options } = batch;
  const engine = onnxEngine(graph.opset);
  const shapes = mapNamed(kernel.inputs, (name) =>
    name === rows ? [1, ...inputs[name].shape.slice(1)] : [...inputs[name].shape],
  );
  const residents = mapNamed(kernel.inputs, (name) => engine.value(variantInput(kernel, name), shapes[name]));
  const variants = engine.run(kernel, residents, options);
  const declared = kernel.inputs.map((name) => ({
    name: variantInput(kernel, name),
    shape: name === rows ? ['batch' as const, ...shapes[name].slice(1)] : shapes[name],
  }));
  const outputs = [graph.logits];
  const inputFrom = engine.nameOf(variants);
  return { bytes: writeModel(graph, { outputs, inputs: declared, inputFrom, ...collected(engine) }), outputs };
}

/** Name under which a variant model takes an input of its kernel. */
export function variantInput<In extends string, U extends string, O>(kernel: Kernel<In, U, O>, name: In): string {
  return `cambium/${kernel.name}/${name}`;
}

/** A layer between a convolution and its batch normalisation is gone once the two are merged. */
function requireLayer(network: Graph, layer: string, rule: RuleName): void {
  if (layer === network.input.name || network.nodes.some((node) => node.outputs.includes(layer))) return;
  throw new ModelError(
    `Layer ${layer} is not in the network that "${rule}" walks: it merges batch normalisations into the convolutions before them. ` +
      'Choose the value behind the batch normalisation.',
  );
}

function collected(engine: OnnxEngine) {
  return { nodes: engine.trace.nodes, constants: engine.trace.constants };
}

/** Shape of a value or constant, with 1 as its batch. @throws ModelError when it could not be inferred */
export function shapeOf(graph: Graph, name: string): readonly number[] {
  const shape = graph.constants.get(name)?.shape ?? graph.shapes.get(name);
  if (shape) return shape;
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name));
  throw new ModelError(
    `The shape of value ${name}${node ? `, made by ${node.op} at node ${node.name},` : ''} could not be inferred, so the walk cannot cross it. ` +
      'Export the model with shape inference, choose a layer behind it, or use score-cam, which needs no walk.',
  );
}
