import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { GraphAttribute, GraphNode } from './graph.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
} from './schema/onnx_pb.js';
import { decodeTensor, type External, encodeTensor, toInt64 } from './tensor-proto.ts';

/** A stored node as plain data. A node without a name gets that of its first output. */
export function decodeNode(proto: NodeProto, external?: External): GraphNode {
  return {
    name: proto.name || proto.output.find((output) => output !== '') || proto.opType,
    op: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(
      proto.attribute.map((attribute) => [attribute.name, decodeAttribute(attribute, external)]),
    ),
  };
}

/** A node as it is stored. */
export function encodeNode(node: GraphNode): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.op,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
  });
}

/** Names of values that the node reads: its inputs and whatever its subgraphs take from outside. */
export function readsOf(node: GraphNode): readonly string[] {
  return [...node.inputs.filter((input) => input !== ''), ...capturesOf(node)];
}

/** Names that the node's subgraphs read. */
export function capturesOf(node: GraphNode): readonly string[] {
  return Object.values(node.attributes).flatMap((attribute) =>
    'encoded' in attribute ? capturedBy(attribute.encoded) : [],
  );
}

function capturedBy(encoded: Uint8Array): readonly string[] {
  const { g } = fromBinary(AttributeProtoSchema, encoded);
  return g ? readsOfGraph(g) : [];
}

/** Every name that nodes of a subgraph read, its own values among them; those are no names outside and do no harm. */
function readsOfGraph(graph: GraphProto): readonly string[] {
  const nested = graph.node.flatMap((node) => node.attribute.flatMap(({ g }) => (g ? readsOfGraph(g) : [])));
  return [...graph.node.flatMap((node) => node.input), ...graph.output.map(({ name }) => name), ...nested];
}

function decodeAttribute(proto: AttributeProto, external: External | undefined): GraphAttribute {
  const encoded = () => ({ encoded: toBinary(AttributeProtoSchema, proto) });
  switch (proto.refAttrName === '' ? proto.type || typeByField(proto) : UNREAD) {
    case FLOAT:
      return { float: proto.f ?? 0 };
    case INT:
      return { int: Number(proto.i ?? 0n) };
    case STRING: {
      const string = new TextDecoder().decode(proto.s);
      return string.includes('\uFFFD') ? encoded() : { string };
    }
    case TENSOR:
      return proto.t ? { tensor: decodeTensor(proto.t, external) } : encoded();
    case FLOATS:
      return { floats: proto.floats };
    case INTS:
      return { ints: proto.ints.map(Number) };
    case STRINGS:
      return { strings: proto.strings.map((bytes) => new TextDecoder().decode(bytes)) };
    default:
      return encoded();
  }
}

/** Files before IR version 2 do not tell the type: the one field that is set does. */
function typeByField(proto: AttributeProto): number {
  if (proto.f !== undefined) return FLOAT;
  if (proto.i !== undefined) return INT;
  if (proto.s !== undefined) return STRING;
  if (proto.t !== undefined) return TENSOR;
  if (proto.floats.length > 0) return FLOATS;
  if (proto.ints.length > 0) return INTS;
  return proto.strings.length > 0 ? STRINGS : UNREAD;
}

function encodeAttribute(name: string, attribute: GraphAttribute): AttributeProto {
  if ('encoded' in attribute) return fromBinary(AttributeProtoSchema, attribute.encoded);
  return create(AttributeProtoSchema, { name, ...attributeFields(attribute) });
}

function attributeFields(
  attribute: Exclude<GraphAttribute, { encoded: Uint8Array }>,
): MessageInitShape<typeof AttributeProtoSchema> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  if ('float' in attribute) return { type: FLOAT, f: attribute.float };
  if ('int' in attribute) return { type: INT, i: toInt64(attribute.int) };
  if ('string' in attribute) return { type: STRING, s: bytes(attribute.string) };
  if ('tensor' in attribute) return { type: TENSOR, t: encodeTensor('', attribute.tensor) };
  if ('floats' in attribute) return { type: FLOATS, floats: [...attribute.floats] };
  if ('ints' in attribute) return { type: INTS, ints: attribute.ints.map(toInt64) };
  return { type: STRINGS, strings: attribute.strings.map(bytes) };
}

/** Codes of onnx.AttributeProto.AttributeType; 0 and the others are carried as they are. */
const UNREAD = 0;
const FLOAT = 1;
const INT = 2;
const STRING = 3;
const TENSOR = 4;
const FLOATS = 6;
const INTS = 7;
const STRINGS = 8;
