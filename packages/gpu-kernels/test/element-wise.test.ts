import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  divide,
  guardedDivide,
  keepNonZero,
  multiply,
  negativePart,
  positivePart,
  rectifierGradient,
  sigmoid,
  stabilisedDivide,
  subtract,
  tensor,
} from '../src/index.ts';
import { run } from './support/run.ts';

const row = (...numbers: number[]) => tensor(numbers, [numbers.length]);

describe('broadcasting', () => {
  const matrix = tensor([1, 2, 3, 4, 5, 6], [2, 3]);

  test('equal shapes meet element by element', () => {
    expect(run(add, { left: matrix, right: matrix }, undefined)).toEqual(tensor([2, 4, 6, 8, 10, 12], [2, 3]));
  });

  test('a row meets every row, a column every column', () => {
    expect(run(multiply, { left: matrix, right: row(1, 10, 100) }, undefined)).toEqual(
      tensor([1, 20, 300, 4, 50, 600], [2, 3]),
    );
    expect(run(subtract, { left: matrix, right: tensor([1, 4], [2, 1]) }, undefined)).toEqual(
      tensor([0, 1, 2, 0, 1, 2], [2, 3]),
    );
  });

  test('both sides may be repeated, and the longer shape decides the number of axes', () => {
    const left = tensor([1, 2], [2, 1]);
    expect(run(add, { left, right: row(10, 20, 30) }, undefined)).toEqual(tensor([11, 21, 31, 12, 22, 32], [2, 3]));
    const number = tensor([2], []);
    expect(run(divide, { left: number, right: matrix }, undefined).shape).toEqual([2, 3]);
    expect(run(add, { left: number, right: number }, undefined)).toEqual(tensor([4], []));
  });

  test('channels are repeated over batch and space', () => {
    const images = tensor(new Float32Array(2 * 2 * 1 * 2).fill(1), [2, 2, 1, 2]);
    const scales = tensor([3, 5], [2, 1, 1]);
    expect([...run(multiply, { left: images, right: scales }, undefined).data]).toEqual([3, 3, 5, 5, 3, 3, 5, 5]);
  });

  test('lengths that differ are refused, five axes as well', () => {
    expect(() => run(add, { left: row(1, 2), right: row(1, 2, 3) }, undefined)).toThrow(
      'add expected a shape that broadcasts with [2], got [3].',
    );
    const deep = tensor([1], [1, 1, 1, 1, 1]);
    expect(() => run(add, { left: deep, right: deep }, undefined)).toThrow('add expected at most four axes');
  });
});

describe('guardedDivide', () => {
  test('is 0 where the denominator is 0 or −0, the quotient elsewhere', () => {
    const inputs = { numerator: row(6, 6, 0, 0, -6), denominator: row(3, 0, 0, -0, 1e-30) };
    const { data } = run(guardedDivide, inputs, undefined);
    expect([...data]).toEqual([2, 0, 0, 0, Math.fround(-6 / Math.fround(1e-30))]);
  });
});

describe('stabilisedDivide', () => {
  test('moves the denominator away from 0, and 0 itself upwards', () => {
    const inputs = { numerator: row(6, 6, 6, 6), denominator: row(1, -1, 0, -0) };
    expect([...run(stabilisedDivide, inputs, { epsilon: 0.5 }).data]).toEqual([4, -4, 12, 12]);
  });

  test('never changes the sign of the quotient', () => {
    const finite = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(finite, (denominator) => {
        const inputs = { numerator: row(1), denominator: row(denominator) };
        return Math.sign(run(stabilisedDivide, inputs, { epsilon: 1e-6 }).data[0]) === (denominator < 0 ? -1 : 1);
      }),
    );
  });
});

test('keepNonZero keeps the signal where the condition is not exactly 0', () => {
  const inputs = { signal: row(1, 2, 3, 4), condition: row(0, 1e-40, -1, -0) };
  expect([...run(keepNonZero, inputs, undefined).data]).toEqual([0, 2, 3, 0]);
});

test('a number is its positive part plus its negative part', () => {
  const input = row(-2, 0, 3);
  const right = run(negativePart, { input }, undefined);
  const left = run(positivePart, { input }, undefined);
  expect([...left.data]).toEqual([0, 0, 3]);
  expect([...right.data]).toEqual([-2, 0, 0]);
  expect(run(add, { left, right }, undefined)).toEqual(input);
});

test('sigmoid is 1/2 at 0 and saturates without NaN', () => {
  expect([...run(sigmoid, { input: row(0, Math.log(3), -1000, 1000) }, undefined).data]).toEqual([0.5, 0.75, 0, 1]);
});

describe('rectifierGradient', () => {
  const input = row(-1, 0, 3, 6, 7);
  const gradient = row(10, 10, 10, 10, 10);

  test('of ReLU passes where the input is above 0', () => {
    const relu = { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0 };
    expect([...run(rectifierGradient, { gradient, input }, relu).data]).toEqual([0, 0, 10, 10, 10]);
  });

  test('of ReLU6 passes strictly between 0 and 6', () => {
    const relu6 = { floor: 0, ceiling: 6, slope: 0 };
    expect([...run(rectifierGradient, { gradient, input }, relu6).data]).toEqual([0, 0, 10, 0, 0]);
  });

  test('of LeakyRelu passes a share at and below 0', () => {
    const leaky = { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0.5 };
    expect([...run(rectifierGradient, { gradient, input }, leaky).data]).toEqual([5, 5, 10, 10, 10]);
  });

  test('a ceiling below the floor is refused', () => {
    expect(() => run(rectifierGradient, { gradient, input }, { floor: 1, ceiling: 1, slope: 0 })).toThrow(RangeError);
  });
});
