import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import { dataTypes } from './data-types.ts';
import { floatsFromBrainHalves, floatsFromBytes, floatsFromDoubles, floatsFromHalves } from './float-data.ts';
import type { Constant } from './graph.ts';
import { type TensorProto, TensorProtoSchema } from './schema/onnx_pb.js';

/** Reads bytes of an external data file; `length` is undefined where the tensor does not say. */
export type External = (location: string, offset: number, length: number | undefined) => Uint8Array;

/**
 * A stored tensor as a constant: float16, bfloat16 and double become float32.
 *
 * @param external reads external data files; where it is missing, a tensor that needs one is refused
 * @throws ModelError when the numbers do not fill the shape or the file that holds them is not at hand
 */
export function decodeTensor(proto: TensorProto, external?: External): Constant {
  const shape = proto.dims.map(Number);
  if (shape.some((length) => length < 0 || !Number.isSafeInteger(length))) {
    throw tensorError(proto, 'lengths of axes that are not negative', `[${shape.join(', ')}]`);
  }
  if (proto.dataType === dataTypes.string) {
    return { type: 'encoded', dataType: proto.dataType, shape, data: toBinary(TensorProtoSchema, proto) };
  }
  const bytes = bytesOf(proto, external);
  return bytes === undefined ? fromLists(proto, shape) : fromBytes(proto, shape, bytes);
}

/** A constant as a tensor that holds its numbers as raw bytes. */
export function encodeTensor(name: string, constant: Constant): TensorProto {
  if (constant.type === 'encoded' && constant.dataType === dataTypes.string) {
    return { ...fromBinary(TensorProtoSchema, constant.data), name };
  }
  const dataType = constant.type === 'encoded' ? constant.dataType : dataTypes[constant.type];
  return create(TensorProtoSchema, { name, dataType, dims: constant.shape.map(BigInt), rawData: rawBytes(constant) });
}

/** The int64 nearest to a number: lengths such as 2⁶³−1, which mean "to the end", are rounded up when they are read. */
export function toInt64(value: number): bigint {
  return BigInt.asIntN(64, value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value));
}

function rawBytes(constant: Constant): Uint8Array {
  switch (constant.type) {
    case 'int64':
      return bytesView(BigInt64Array.from(constant.data, toInt64));
    case 'int32':
      return bytesView(Int32Array.from(constant.data));
    case 'int8':
      return bytesView(Int8Array.from(constant.data));
    case 'uint8':
    case 'bool':
      return Uint8Array.from(constant.data);
    default:
      return bytesView(constant.data);
  }
}

function bytesView(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function bytesOf(proto: TensorProto, external: External | undefined): Uint8Array | undefined {
  if (proto.dataLocation !== EXTERNAL) return proto.rawData;
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (!external)
    throw tensorError(proto, 'its numbers', `a reference to the file "${location}"; read the model with loadModel`);
  const length = entries.get('length');
  try {
    return external(location, Number(entries.get('offset') ?? 0), length === undefined ? undefined : Number(length));
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new ModelError(`Tensor "${proto.name}", ${cause.message}`, { cause });
  }
}

function fromBytes(proto: TensorProto, shape: Shape, bytes: Uint8Array): Constant {
  const width = byteWidths[proto.dataType];
  if (width !== undefined && bytes.byteLength !== width * sizeOf(shape)) {
    throw tensorError(
      proto,
      `${width * sizeOf(shape)} bytes for shape [${shape.join(', ')}]`,
      String(bytes.byteLength),
    );
  }
  switch (proto.dataType) {
    case dataTypes.float32:
      return { type: 'float32', shape, data: floatsFromBytes(bytes) };
    case dataTypes.float64:
      return { type: 'float32', shape, data: floatsFromDoubles(bytes) };
    case dataTypes.float16:
      return { type: 'float32', shape, data: floatsFromHalves(new Uint16Array(new Uint8Array(bytes).buffer)) };
    case dataTypes.bfloat16:
      return { type: 'float32', shape, data: floatsFromBrainHalves(new Uint16Array(new Uint8Array(bytes).buffer)) };
    case dataTypes.int64:
      return { type: 'int64', shape, data: Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number) };
    case dataTypes.int32:
      return { type: 'int32', shape, data: new Int32Array(new Uint8Array(bytes).buffer) };
    case dataTypes.int8:
      return { type: 'int8', shape, data: new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
    case dataTypes.uint8:
      return { type: 'uint8', shape, data: bytes };
    case dataTypes.bool:
      return { type: 'bool', shape, data: bytes };
    default:
      return { type: 'encoded', dataType: proto.dataType, shape, data: bytes };
  }
}

/** Tensors without raw bytes keep their numbers in the typed list of their type; int32_data serves all narrow types. */
function fromLists(proto: TensorProto, shape: Shape): Constant {
  const constant = listConstant(proto, shape);
  const width = byteWidths[proto.dataType] ?? 1;
  const count = constant.type === 'encoded' ? constant.data.length / width : constant.data.length;
  if (count === sizeOf(shape)) return constant;
  throw tensorError(proto, `${sizeOf(shape)} numbers for shape [${shape.join(', ')}]`, String(count));
}

function listConstant(proto: TensorProto, shape: Shape): Constant {
  const narrow = proto.int32Data;
  const encoded = (data: Uint8Array): Constant => ({ type: 'encoded', dataType: proto.dataType, shape, data });
  switch (proto.dataType) {
    case dataTypes.float32:
      return { type: 'float32', shape, data: Float32Array.from(proto.floatData) };
    case dataTypes.float64:
      return { type: 'float32', shape, data: Float32Array.from(proto.doubleData) };
    case dataTypes.float16:
      return { type: 'float32', shape, data: floatsFromHalves(narrow) };
    case dataTypes.bfloat16:
      return { type: 'float32', shape, data: floatsFromBrainHalves(narrow) };
    case dataTypes.int64:
      return { type: 'int64', shape, data: proto.int64Data.map(Number) };
    case dataTypes.int32:
      return { type: 'int32', shape, data: Int32Array.from(narrow) };
    case dataTypes.int8:
      return { type: 'int8', shape, data: Int8Array.from(narrow) };
    case dataTypes.uint8:
      return { type: 'uint8', shape, data: Uint8Array.from(narrow) };
    case dataTypes.bool:
      return { type: 'bool', shape, data: Uint8Array.from(narrow) };
    case dataTypes.uint16:
    case dataTypes.int16:
      return encoded(bytesView(Uint16Array.from(narrow)));
    case dataTypes.uint32:
      return encoded(bytesView(Uint32Array.from(proto.uint64Data, Number)));
    case dataTypes.uint64:
      return encoded(bytesView(BigUint64Array.from(proto.uint64Data)));
    default:
      throw tensorError(proto, 'a data type of ONNX', `code ${proto.dataType}`);
  }
}

function tensorError(proto: TensorProto, expected: string, got: string): ModelError {
  const where = `Tensor "${proto.name}"`;
  return new ModelError({
    where,
    expected,
    got,
    next: 'Export the model again, or copy the file again if it was cut short.',
  });
}

const EXTERNAL = 1;

/** Bytes of one number, by data type code. */
const byteWidths: { readonly [code: number]: number | undefined } = {
  [dataTypes.float32]: 4,
  [dataTypes.uint8]: 1,
  [dataTypes.int8]: 1,
  [dataTypes.uint16]: 2,
  [dataTypes.int16]: 2,
  [dataTypes.int32]: 4,
  [dataTypes.int64]: 8,
  [dataTypes.bool]: 1,
  [dataTypes.float16]: 2,
  [dataTypes.float64]: 8,
  [dataTypes.uint32]: 4,
  [dataTypes.uint64]: 8,
  [dataTypes.bfloat16]: 2,
};
