import { describe, expect, test } from 'vitest';
import { matmul, padAxis, reshape, ShapeError, sliceAxis, sumAxes, tensor, transpose } from '../src/index.ts';
import { run } from './support/run.ts';

const matrix = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
const cube = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 2, 3]);

describe('sumAxes', () => {
  test('sums over the named axes and keeps them with length 1', () => {
    expect(run(sumAxes, { input: matrix }, { axes: [1] })).toEqual(tensor([6, 15], [2, 1]));
    expect(run(sumAxes, { input: matrix }, { axes: [0] })).toEqual(tensor([5, 7, 9], [1, 3]));
    expect(run(sumAxes, { input: cube }, { axes: [0, 2] })).toEqual(tensor([30, 48], [1, 2, 1]));
    expect(run(sumAxes, { input: matrix }, { axes: [0, 1] })).toEqual(tensor([21], [1, 1]));
  });

  test.each([[[2]], [[-1]], [[0, 0]], [[]]])('axes %j of a matrix are refused', (axes) => {
    expect(() => run(sumAxes, { input: matrix }, { axes })).toThrow(RangeError);
  });
});

describe('reshape', () => {
  test('keeps the order of the numbers', () => {
    expect(run(reshape, { input: cube }, { shape: [2, 3, 2] })).toEqual(tensor([...cube.data], [2, 3, 2]));
  });

  test('refuses to change axis 0 or the number of elements', () => {
    expect(() => run(reshape, { input: matrix }, { shape: [3, 2] })).toThrow(ShapeError);
    expect(() => run(reshape, { input: matrix }, { shape: [2, 4] })).toThrow(ShapeError);
  });
});

describe('transpose', () => {
  test('swaps the axes of a matrix', () => {
    expect(run(transpose, { input: matrix }, { axes: [1, 0] })).toEqual(tensor([1, 4, 2, 5, 3, 6], [3, 2]));
  });

  test('moves channels last and back', () => {
    const last = run(transpose, { input: cube }, { axes: [0, 2, 1] });
    expect(last).toEqual(tensor([1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12], [2, 3, 2]));
    expect(run(transpose, { input: last }, { axes: [0, 2, 1] })).toEqual(cube);
  });

  test('refuses what is no order of the axes', () => {
    expect(() => run(transpose, { input: matrix }, { axes: [0, 0] })).toThrow(RangeError);
    expect(() => run(transpose, { input: matrix }, { axes: [0] })).toThrow(RangeError);
  });
});

describe('padAxis', () => {
  test('puts zeros around the input along one axis', () => {
    expect(run(padAxis, { input: tensor([1, 2, 3, 4], [2, 2]) }, { axis: 1, before: 1, after: 2 })).toEqual(
      tensor([0, 1, 2, 0, 0, 0, 3, 4, 0, 0], [2, 5]),
    );
  });

  test('refuses negative and broken numbers of zeros, and the batch axis', () => {
    expect(() => run(padAxis, { input: tensor([1, 2], [1, 2]) }, { axis: 1, before: -1, after: 0 })).toThrow(
      RangeError,
    );
    expect(() => run(padAxis, { input: tensor([1, 2], [1, 2]) }, { axis: 1, before: 0, after: 0.5 })).toThrow(
      RangeError,
    );
    expect(() => run(padAxis, { input: tensor([1, 2], [1, 2]) }, { axis: 0, before: 1, after: 0 })).toThrow(ShapeError);
  });
});

describe('sliceAxis', () => {
  test('keeps positions of one axis', () => {
    expect(run(sliceAxis, { input: matrix }, { axis: 1, start: 1, end: 3 })).toEqual(tensor([2, 3, 5, 6], [2, 2]));
    expect(run(sliceAxis, { input: cube }, { axis: 1, start: 1, end: 2 })).toEqual(
      tensor([4, 5, 6, 10, 11, 12], [2, 1, 3]),
    );
  });

  test.each([
    [2, 2],
    [-1, 2],
    [0, 4],
  ])('positions %i to %i of three are refused', (start, end) => {
    expect(() => run(sliceAxis, { input: matrix }, { axis: 1, start, end })).toThrow(RangeError);
  });
});

describe('matmul', () => {
  const right = tensor([1, 0, 0, 1, 1, 1], [3, 2]);
  const product = tensor([4, 5, 10, 11], [2, 2]);

  test('multiplies rows by columns', () => {
    expect(run(matmul, { left: matrix, right }, {})).toEqual(product);
  });

  test('takes either matrix transposed', () => {
    const leftT = run(transpose, { input: matrix }, { axes: [1, 0] });
    const rightT = run(transpose, { input: right }, { axes: [1, 0] });
    expect(run(matmul, { left: leftT, right }, { transposeLeft: true })).toEqual(product);
    expect(run(matmul, { left: matrix, right: rightT }, { transposeRight: true })).toEqual(product);
    const both = { transposeLeft: true, transposeRight: true };
    expect(run(matmul, { left: leftT, right: rightT }, both)).toEqual(product);
  });
});
