import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { decodeNpy, encodeNpy } from '../src/io/npy.ts';

// numpy.save('numpy-2x3.npy', [[-0.5, -0.25, 0], [0.25, 0.5, 1e-20]] as float32), NumPy 2.4
const byNumPy = readFileSync(join(import.meta.dirname, 'fixtures', 'numpy-2x3.npy'));
const values = tensor([-0.5, -0.25, 0, 0.25, 0.5, 1e-20], [2, 3]);

test('a file that NumPy wrote is read with its shape and numbers', () => {
  expect(decodeNpy(byNumPy)).toEqual(values);
});

test('a tensor is written with the very bytes of NumPy', () => {
  expect(Buffer.from(encodeNpy(values)).equals(byNumPy)).toBe(true);
});

test.each([[[]], [[5]], [[1, 2, 3]], [[0, 4]]])('a tensor of shape %j comes back as it was', (shape) => {
  const count = shape.reduce((product, length) => product * length, 1);
  const source = tensor(
    Array.from({ length: count }, (_, index) => index / 3),
    shape,
  );
  expect(decodeNpy(encodeNpy(source))).toEqual(source);
});

test('numbers of 64 bits are read and rounded to 32', () => {
  const header = Buffer.from(byNumPy)
    .toString('latin1', 0, byNumPy.length - 24)
    .replace('<f4', '<f8');
  const doubles = Buffer.from(Float64Array.from([0.1, -2, 3, 4, 5, 6]).buffer);
  const { data, shape } = decodeNpy(Buffer.concat([Buffer.from(header, 'latin1'), doubles]));
  expect([shape, data]).toEqual([[2, 3], Float32Array.from([0.1, -2, 3, 4, 5, 6])]);
});

test('other bytes, other types and missing numbers are refused', () => {
  expect(() => decodeNpy(new Uint8Array(3))).toThrow('expected a NumPy file');
  expect(() => decodeNpy(Buffer.from('this is not a NumPy file at all'))).toThrow('expected a NumPy file');
  expect(() => decodeNpy(Buffer.from(Buffer.from(byNumPy).toString('latin1').replace('<f4', '<i4'), 'latin1'))).toThrow(
    'float32',
  );
  expect(() => decodeNpy(byNumPy.subarray(0, byNumPy.length - 4))).toThrow(
    'expected 6 numbers after the header, got 5',
  );
});
