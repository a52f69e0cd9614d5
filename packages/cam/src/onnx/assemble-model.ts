import { toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './schema/onnx_pb.js';

/**
 * The bytes of a model with tensors added to its graph. A message's fields may stand in any order, so each tensor's numbers are
 * copied once, to where they stay: a general writer copies them several times as its buffer grows.
 *
 * @param model its graph as it is without these tensors
 * @source Protocol Buffers, encoding: fields of a message are read in any order
 */
export function assembleModel(
  model: ModelProto & { readonly graph?: GraphProto },
  tensors: readonly TensorProto[],
): Uint8Array<ArrayBuffer> {
  const { graph, ...rest } = model;
  const inside = [...(graph ? [toBinary(GraphProtoSchema, graph)] : []), ...tensors.flatMap(fieldOf)];
  return joined([toBinary(ModelProtoSchema, rest), ...delimited(GRAPH, inside)]);
}

function fieldOf(tensor: TensorProto): Uint8Array[] {
  const { rawData, ...rest } = tensor;
  const numbers = rawData === undefined ? [] : delimited(RAW_DATA, [rawData]);
  return delimited(INITIALIZER, [toBinary(TensorProtoSchema, rest), ...numbers]);
}

/** A field of some bytes, in parts. */
function delimited(field: number, content: readonly Uint8Array[]): Uint8Array[] {
  return [new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(lengthOf(content)).finish(), ...content];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

// numbers of fields in onnx.proto
const GRAPH = 7;
const INITIALIZER = 5;
const RAW_DATA = 9;
