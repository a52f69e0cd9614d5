import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { floatsFromBrainHalves, floatsFromBytes, floatsFromHalves } from '../src/onnx/float-data.ts';
import { TensorProtoSchema } from '../src/onnx/schema/onnx_pb.js';
import { decodeTensor, encodeTensor } from '../src/onnx/tensor-proto.ts';

test('every pattern of binary16 becomes the number it stands for', () => {
  const patterns = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const floats = floatsFromHalves(patterns);
  const expected = Float32Array.from(patterns, (bits) => {
    const sign = bits >= 0x8000 ? -1 : 1;
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  expect(floats.findIndex((value, bits) => !Object.is(value, expected[bits]))).toBe(-1);
});

test('bfloat16 is the upper half of a float32', () => {
  expect([...floatsFromBrainHalves([0x3f80, 0xc040, 0x7f80])]).toEqual([1, -3, Number.POSITIVE_INFINITY]);
});

test('aligned floats are a view of the file, others a copy', () => {
  const file = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  expect(floatsFromBytes(file.subarray(4)).buffer).toBe(file.buffer);
  const shifted = Uint8Array.of(0, ...file).subarray(1);
  expect([...floatsFromBytes(shifted)]).toEqual([1, 2, 3]);
});

describe('numbers in the typed lists of a tensor are read like raw bytes', () => {
  test.each([
    ['float', { dataType: 1, floatData: [1.5, -2] }, 'float32', [1.5, -2]],
    ['double', { dataType: 11, doubleData: [1.5, -2] }, 'float32', [1.5, -2]],
    ['float16', { dataType: 10, int32Data: [0x3e00, 0xc000] }, 'float32', [1.5, -2]],
    ['bfloat16', { dataType: 16, int32Data: [0x3fc0, 0xc000] }, 'float32', [1.5, -2]],
    ['int64', { dataType: 7, int64Data: [3n, -4n] }, 'int64', [3, -4]],
    ['int32', { dataType: 6, int32Data: [3, -4] }, 'int32', [3, -4]],
    ['int8', { dataType: 3, int32Data: [3, -4] }, 'int8', [3, -4]],
    ['uint8', { dataType: 2, int32Data: [3, 250] }, 'uint8', [3, 250]],
    ['bool', { dataType: 9, int32Data: [0, 1] }, 'bool', [0, 1]],
  ] as const)('%s', (_, fields, type, numbers) => {
    const lists = { ...fields, dims: [2n] };
    const constant = decodeTensor(create(TensorProtoSchema, structuredClone(lists) as object)); // its lists become mutable
    expect({ type: constant.type, numbers: [...constant.data] }).toEqual({ type, numbers });
    expect(decodeTensor(encodeTensor('raw', constant))).toEqual({ ...constant, data: expect.anything() });
    expect([...decodeTensor(encodeTensor('raw', constant)).data]).toEqual(numbers);
  });
});

test.each([
  ['uint16', { dataType: 4, int32Data: [1, 65535] }],
  ['uint32', { dataType: 12, uint64Data: [1n, 4294967295n] }],
  ['uint64', { dataType: 13, uint64Data: [1n, 2n ** 64n - 1n] }],
  ['string', { dataType: 8, stringData: [Uint8Array.of(65), Uint8Array.of(66)] }],
])('%s, which no layer reads, is carried as it is', (_, fields) => {
  const proto = create(TensorProtoSchema, { ...fields, name: 'carried', dims: [2n] });
  const constant = decodeTensor(proto);
  expect(constant.type).toBe('encoded');
  expect(decodeTensor(encodeTensor('carried', constant))).toEqual(constant);
});

test.each([
  ['too few numbers', { dataType: 1, dims: [3n], floatData: [1, 2] }, 'expected 3 numbers for shape [3], got 2'],
  ['too few bytes', { dataType: 1, dims: [3n], rawData: new Uint8Array(8) }, 'expected 12 bytes for shape [3], got 8'],
  ['a negative length', { dataType: 1, dims: [-3n] }, 'lengths of axes that are not negative'],
  ['a type that does not exist', { dataType: 99, dims: [1n] }, 'code 99'],
])('a tensor of %s is refused by name', (_, fields, told) => {
  const proto = create(TensorProtoSchema, { ...fields, name: 'layer1.weight' });
  expect(() => decodeTensor(proto)).toThrow('Tensor "layer1.weight"');
  expect(() => decodeTensor(proto)).toThrow(told);
});
