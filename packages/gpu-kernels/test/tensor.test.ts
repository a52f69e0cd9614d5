import { expect, test } from 'vitest';
import { filled, rows, ShapeError, sizeOf, stack, tensor, zeros } from '../src/index.ts';

test('a tensor holds as many numbers as its shape says', () => {
  expect(tensor([1, 2, 3, 4, 5, 6], [2, 3]).shape).toEqual([2, 3]);
  expect(() => tensor([1, 2, 3], [2, 2])).toThrow(new ShapeError('tensor', '4 numbers for shape [2, 2]', '3'));
  expect(() => tensor([], [-1])).toThrow(ShapeError);
  expect(() => tensor([1], [0.5, 2])).toThrow(ShapeError);
});

test('a number is a tensor of no axes', () => {
  expect(sizeOf([])).toBe(1);
  expect(tensor([7], []).shape).toEqual([]);
});

test('filled and zeros fill', () => {
  expect([...filled(2, 1, 3).data]).toEqual([2, 2, 2]);
  expect([...zeros(2).data]).toEqual([0, 0]);
});

test('rows are a view of the same memory', () => {
  const whole = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
  const part = rows(whole, 1, 3);
  expect(part).toEqual(tensor([3, 4, 5, 6], [2, 2]));
  expect(part.data.buffer).toBe(whole.data.buffer);
});

test('stacked rows are the whole again', () => {
  const whole = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
  expect(stack([rows(whole, 0, 1), rows(whole, 1, 3)])).toEqual(whole);
});

test('tensors of different rows do not stack, nor does nothing', () => {
  expect(() => stack([zeros(1, 2), zeros(1, 3)])).toThrow(ShapeError);
  expect(() => stack([])).toThrow(ShapeError);
});
