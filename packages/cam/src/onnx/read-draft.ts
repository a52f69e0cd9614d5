import { toBinary } from '@bufbuild/protobuf';
import { ModelError } from '../errors.ts';
import { dataTypes, isFloatType } from './data-types.ts';
import type { DeclaredValue, Dimensions, Draft } from './draft.ts';
import type { Constant, GraphNode } from './graph.ts';
import { decodeNode } from './node-proto.ts';
import type { ParsedModel } from './parse-model.ts';
import { FunctionProtoSchema, type OperatorSetIdProto, type ValueInfoProto } from './schema/onnx_pb.js';
import { decodeTensor, type External } from './tensor-proto.ts';

const OLDEST_OPSET = 7;
const NEWEST_OPSET = 22;

/**
 * The parsed file as plain data, every float float32: initialisers, Constant nodes, and the types that Cast and its
 * like name.
 *
 * @throws ModelError when the opset is outside 7 to 22 or a tensor cannot be read
 */
export function readDraft(model: ParsedModel, external?: External): Draft {
  const { graph } = model;
  const constants = new Map<string, Constant>();
  for (const tensor of graph.initializer) constants.set(tensor.name, decodeTensor(tensor, external));
  return {
    opset: readOpset(model.opsetImport),
    domains: new Map(
      model.opsetImport.filter(({ domain }) => !isOwn(domain)).map((set) => [set.domain, Number(set.version)]),
    ),
    functions: model.functions.map((proto) => toBinary(FunctionProtoSchema, proto)),
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(declare),
    outputs: graph.output.map(declare),
    nodes: graph.node.map((node) => withFloat32(decodeNode(node, external))),
    constants,
    declared: declaredShapes([...graph.valueInfo, ...graph.output]),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function readOpset(sets: readonly OperatorSetIdProto[]): number {
  const own = sets.find(({ domain }) => isOwn(domain));
  const opset = Number(own?.version ?? 1n);
  if (opset >= OLDEST_OPSET && opset <= NEWEST_OPSET) return opset;
  throw new ModelError({
    where: 'The model',
    expected: `an opset from ${OLDEST_OPSET} to ${NEWEST_OPSET}`,
    got: own ? `opset ${opset}` : 'none (the file may be cut short)',
    next: 'Export it again with opset 17 (torch.onnx.export(…, opset_version=17), tf2onnx --opset 17).',
  });
}

function isOwn(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

function declare({ name, type }: ValueInfoProto): DeclaredValue {
  const dimensions = type?.tensorType?.shape?.dim.map(({ value }) => {
    if (value.case === 'dimValue') return Number(value.value);
    return value.case === 'dimParam' ? value.value : '';
  });
  return { name, dimensions, dataType: type?.tensorType?.elemType ?? 0 };
}

function declaredShapes(values: readonly ValueInfoProto[]): ReadonlyMap<string, Dimensions> {
  const declared = values.map(declare);
  return new Map(declared.flatMap(({ name, dimensions }) => (dimensions ? [[name, dimensions] as const] : [])));
}

/** Casts and generators that name a floating-point type make float32 instead. */
function withFloat32(node: GraphNode): GraphNode {
  const name = node.op === 'Cast' ? 'to' : 'dtype';
  const type = node.domain === '' ? node.attributes[name] : undefined;
  if (type === undefined || !('int' in type) || !isFloatType(type.int)) return node;
  return { ...node, attributes: { ...node.attributes, [name]: { int: dataTypes.float32 } } };
}
