import { create, fromBinary } from '@bufbuild/protobuf';
import type { OnnxConstant, OnnxNode, OnnxTrace } from '@cambium/gpu-kernels';
import { assembleModel } from './assemble-model.ts';
import { dataTypes } from './data-types.ts';
import type { Constant, Graph, GraphNode } from './graph.ts';
import { encodeNode } from './node-proto.ts';
import { prune } from './prune.ts';
import { FunctionProtoSchema, ModelProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from './schema/onnx_pb.js';
import { shapeRules } from './shapes/rules.ts';
import { sortNodes } from './sort-nodes.ts';
import { encodeTensor } from './tensor-proto.ts';

/** A graph, or a part of one whose inputs are declared in the options. */
export type PartialGraph = Pick<Graph, 'opset' | 'domains' | 'nodes' | 'constants'> & Partial<Graph>;

/** An input of a written model; a string is a symbolic length, such as `batch`. */
export interface ModelInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** What is written, and what is added to the graph. */
export interface WriteOptions {
  /** Names of the values that the model returns, in this order. */
  readonly outputs: readonly string[];
  /** Inputs besides the graph's own. They are declared even if nothing reads them. */
  readonly inputs?: readonly ModelInput[];
  /** Nodes to append, such as those of a trace. */
  readonly nodes?: readonly OnnxNode[];
  readonly constants?: ReadonlyMap<string, OnnxConstant>;
  /** A value that the graph's nodes read in place of its input, which then is no longer declared. */
  readonly inputFrom?: string;
}

/**
 * Writes a graph as an ONNX file, with nodes appended where they are given. Only what the outputs need is written; a
 * batch of any size is the symbolic axis `batch`.
 *
 * @throws ModelError when an output, or a value that a node reads, is made by nothing
 */
export function writeModel(graph: PartialGraph, options: WriteOptions): Uint8Array<ArrayBuffer> {
  const outputs = [...new Set(options.outputs)];
  const inputs = inputsOf(graph, options);
  const { nodes, constants } = prune(
    joined(graph, options),
    outputs,
    inputs.map(({ name }) => name),
  );
  const model = create(ModelProtoSchema, {
    irVersion: irVersionOf(graph.opset),
    producerName: 'cambium',
    opsetImport: [['', graph.opset] as const, ...graph.domains].map(([domain, version]) => ({
      domain,
      version: BigInt(version),
    })),
    metadataProps: Object.entries(graph.metadata ?? {}).map(([key, value]) => ({ key, value })),
    functions: (graph.functions ?? []).map((bytes) => fromBinary(FunctionProtoSchema, bytes)),
    graph: {
      name: 'cambium',
      node: nodes.map(encodeNode),
      input: inputs.map(({ name, shape }) => declare(name, shape)),
      output: outputs.map((name) => declare(name, name === graph.logits ? openShape(graph, name) : undefined)),
      valueInfo: unknownToRules(graph, nodes),
    },
  });
  return assembleModel(
    model,
    [...constants].map(([name, constant]) => encodeTensor(name, constant)),
  );
}

/** Writes traced nodes alone as an ONNX file. */
export function writeTrace(
  trace: OnnxTrace,
  inputs: readonly ModelInput[],
  outputs: readonly string[],
): Uint8Array<ArrayBuffer> {
  const empty = { opset: trace.opset, domains: new Map(), nodes: [], constants: new Map() };
  return writeModel(empty, { inputs, outputs, nodes: trace.nodes, constants: trace.constants });
}

function inputsOf(graph: PartialGraph, { inputs = [], inputFrom }: WriteOptions): readonly ModelInput[] {
  if (!graph.input || inputFrom !== undefined) return inputs;
  const { name, shape, batch } = graph.input;
  return [
    { name, shape: [batch === 'any' ? 'batch' : batch, ...shape] },
    ...inputs.filter((input) => input.name !== name),
  ];
}

function joined(graph: PartialGraph, { nodes = [], constants = new Map(), inputFrom }: WriteOptions) {
  const reads = (name: string) => (inputFrom !== undefined && name === graph.input?.name ? inputFrom : name);
  const own = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(reads) }));
  const appended: readonly GraphNode[] = nodes.map((node) => ({ ...node, domain: '' }));
  const traced = [...constants].map(([name, constant]) => [name, fromTrace(constant)] as const);
  return { nodes: sortNodes([...own, ...appended]), constants: new Map([...graph.constants, ...traced]) };
}

function fromTrace({ type, shape, data }: OnnxConstant): Constant {
  return type === 'float32' ? { type, shape, data: Float32Array.from(data) } : { type, shape, data: Array.from(data) };
}

/** Operator sets from 19 on ask for newer files. @source ONNX versioning, table of IR and operator set versions */
function irVersionOf(opset: number): bigint {
  if (opset >= 21) return 10n;
  return opset >= 19 ? 9n : 8n;
}

/** Shapes of values that no rule can tell from their node, kept for whoever reads the file. */
function unknownToRules(graph: PartialGraph, nodes: readonly GraphNode[]): ValueInfoProto[] {
  const unknown = nodes
    .filter(({ op, domain }) => domain !== '' || !shapeRules.has(op))
    .flatMap(({ outputs }) => outputs);
  return unknown.filter((name) => graph.shapes?.has(name)).map((name) => declare(name, openShape(graph, name)));
}

function openShape({ shapes, input }: PartialGraph, name: string): readonly (number | string)[] | undefined {
  const shape = shapes?.get(name);
  return input?.batch === 'any' && shape?.[0] === 1 ? ['batch', ...shape.slice(1)] : shape;
}

function declare(name: string, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((length) => ({
    value:
      typeof length === 'number'
        ? { case: 'dimValue' as const, value: BigInt(length) }
        : { case: 'dimParam' as const, value: length },
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: dataTypes.float32, shape: dim && { dim } } },
  });
}
