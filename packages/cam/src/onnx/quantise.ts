import { ModelError } from '../errors.ts';
import { floatOf } from './attributes.ts';
import { biasOf, floats, mergeBatchNorm } from './fold-batch-norm.ts';
import type { Constant, Graph, GraphNode } from './graph.ts';
import { type Affine, affineOf, quantiseLinear, type Range } from './int8-numbers.ts';
import { type Int8Plan, planInt8 } from './int8-plan.ts';
import { freshName } from './names.ts';
import { readsOf } from './node-proto.ts';

/** Least and greatest number of each value that an int8 network holds in eight bits, by name: plain data to be stored. */
export interface Ranges {
  readonly [value: string]: Range;
}

/** The values whose ranges `quantise` needs. The graph's input may be one of them. */
export function quantisedValues(graph: Graph): readonly string[] {
  return [...new Set(planInt8(mergeBatchNorm(graph)).rangeOf.values())];
}

/**
 * A network that computes its convolutions and matrix products in eight bits, as ONNX says it: with QuantizeLinear and
 * DequantizeLinear around them, which a runtime fuses with them.
 *
 *     weights      int8, symmetric, a scale for each output
 *     activations  uint8, asymmetric, a scale for each value; numbers outside the range become its ends
 *     biases       int32, in steps of the product of both scales
 *
 * Batch normalisations are merged first. Values keep their names; one held in eight bits is read as what rounding left
 * of it. A ReLU whose output is rounded is left out, because rounding to a range from 0 does the same. Logits, and what
 * lies between (a shortcut's sum, a pooling), are float32 unless the runtime fuses them too.
 *
 * @throws ModelError when a range is missing or holds no numbers, or the graph's opset is below 10
 * @source ONNX operators QuantizeLinear and DequantizeLinear; Jacob et al. 2018, arXiv 1712.05877
 */
export function quantise(graph: Graph, ranges: Ranges): Graph {
  const domain = domainOf(graph);
  const network = mergeBatchNorm(graph);
  const plan = planInt8(network);
  const affines = new Map([...plan.rangeOf].map(([value, source]) => [value, affineOf(rangeOf(ranges, source))]));
  const draft: Draft = { network, plan, affines, domain, nodes: [], constants: new Map(network.constants) };
  const image = network.input.name;
  const rounded = affines.has(image) ? roundTrip(draft, image, `${image}/dequantised`, image) : image;
  for (const node of network.nodes) append(draft, node, rounded);
  const used = new Set([...draft.nodes.flatMap(readsOf), network.logits]);
  return {
    ...network,
    domains: domain === '' ? network.domains : new Map([...network.domains, [domain, 1]]),
    nodes: draft.nodes,
    constants: new Map([...draft.constants].filter(([name]) => used.has(name))),
  };
}

interface Draft {
  readonly network: Graph;
  readonly plan: Int8Plan;
  readonly affines: ReadonlyMap<string, Affine>;
  readonly domain: string;
  readonly nodes: GraphNode[];
  readonly constants: Map<string, Constant>;
}

/** ONNX's own operators take a scale for each channel from opset 13 on; ONNX Runtime's take it in any. */
function domainOf({ opset }: Graph): string {
  if (opset >= 13) return '';
  if (opset >= 10) return 'com.microsoft';
  throw new ModelError({
    where: 'An int8 network',
    expected: 'a model of opset 10 or later, which has integer convolutions',
    got: `opset ${opset}`,
    next: 'Export it with a later opset, or compute in float32.',
  });
}

function rangeOf(ranges: Ranges, value: string): Range {
  const range = ranges[value];
  if (range && Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] <= range[1]) return range;
  throw new ModelError({
    where: `Value ${value}`,
    expected: 'its least and greatest number',
    got: range ? `${range[0]} and ${range[1]}` : 'none',
    next: 'Calibrate on this network with at least one image.',
  });
}

/** Appends a node as the int8 network has it, and the rounding of what it makes. */
function append(draft: Draft, node: GraphNode, image: string): void {
  const { plan, affines, nodes } = draft;
  const [output] = node.outputs;
  if (plan.rectifiers.has(node)) {
    roundTrip(draft, node.inputs[0], output, output);
    return;
  }
  const held = node.outputs.filter((name) => affines.has(name));
  const exact = new Map(held.map((name) => [name, fresh(draft, `${name}/exact`)]));
  const made = plan.linear.has(node) ? linearNode(draft, node, image) : node;
  nodes.push({ ...made, outputs: node.outputs.map((name) => exact.get(name) ?? name) });
  for (const [name, source] of exact) roundTrip(draft, source, name, name);
}

/**
 * Appends QuantizeLinear and DequantizeLinear.
 *
 * @param of the value whose scale is taken
 * @returns the name of what comes out, `output`, or one like it where that is taken
 */
function roundTrip(draft: Draft, input: string, output: string, of: string): string {
  const { scale, zeroPoint } = draft.affines.get(of)!; // asked for values held in eight bits only
  const name = output === of ? output : fresh(draft, output);
  const parameters = [
    constant(draft, `${of}/scale`, { type: 'float32', shape: [], data: Float32Array.of(scale) }),
    constant(draft, `${of}/zeroPoint`, { type: 'uint8', shape: [], data: Uint8Array.of(zeroPoint) }),
  ];
  const stored = fresh(draft, `${of}/quantised`);
  operation(draft, 'QuantizeLinear', [input, ...parameters], stored);
  operation(draft, 'DequantizeLinear', [stored, ...parameters], name);
  return name;
}

/** The node with its weights and bias stored as integers. Factors of a Gemm go into them. */
function linearNode(draft: Draft, node: GraphNode, image: string): GraphNode {
  const { network, plan, affines } = draft;
  const [input, weightName, biasName = ''] = node.inputs;
  const { shape, data } = floats(network.constants, weightName)!; // the plan took nodes with such weights only
  const axis = plan.linear.get(node)!;
  const factor = node.op === 'Gemm' ? floatOf(node.attributes, 'alpha', 1) : 1;
  const numbers = quantiseLinear({
    weights: factor === 1 ? data : data.map((weight) => factor * weight),
    shape,
    axis,
    bias: biasOf(node, network.constants, shape[axis])!, // likewise
    inputScale: affines.get(input)!.scale, // every input of a linear node is held
  });
  const [output] = node.outputs;
  const weights = integers(
    draft,
    `${output}/weights`,
    { type: 'int8', shape, data: numbers.weights },
    numbers.scales,
    axis,
  );
  const inputs = [input === network.input.name ? image : input, weights];
  if (biasName !== '') {
    const scales = numbers.scales.map((scale) => scale * affines.get(input)!.scale);
    const bias: Constant = { type: 'int32', shape: [scales.length], data: numbers.bias };
    inputs.push(integers(draft, `${output}/bias`, bias, scales, 0));
  }
  const attributes =
    node.op === 'Gemm' ? { ...node.attributes, alpha: { float: 1 }, beta: { float: 1 } } : node.attributes;
  return { ...node, inputs, attributes };
}

/** Appends DequantizeLinear of stored integers with a scale for each index of an axis; their zero point is 0. */
function integers(
  draft: Draft,
  base: string,
  stored: Constant,
  scales: Float32Array<ArrayBuffer>,
  axis: number,
): string {
  const name = fresh(draft, base);
  const shape = [scales.length];
  const zeros: Constant = // said although 0 is the default: ONNX Runtime 1.30 fuses no Gemm whose bias leaves it out
    stored.type === 'int8'
      ? { type: 'int8', shape, data: new Int8Array(scales.length) }
      : { type: 'int32', shape, data: new Int32Array(scales.length) };
  const inputs = [
    constant(draft, `${base}/stored`, stored),
    constant(draft, `${base}/scale`, { type: 'float32', shape, data: scales }),
    constant(draft, `${base}/zeroPoint`, zeros),
  ];
  operation(draft, 'DequantizeLinear', inputs, name, { axis: { int: axis } });
  return name;
}

function operation(
  { nodes, domain }: Draft,
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: GraphNode['attributes'] = {},
): void {
  nodes.push({ name: `${output}/${op}`, op, domain, inputs, outputs: [output], attributes });
}

function constant(draft: Draft, base: string, value: Constant): string {
  const name = fresh(draft, base);
  draft.constants.set(name, value);
  return name;
}

function fresh({ network, nodes, constants }: Draft, base: string): string {
  return freshName({ nodes: [...network.nodes, ...nodes], constants, inputs: [network.input] }, base);
}
