import { tensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import type { RuleName } from '../src/index.ts';
import { passBack } from './support/single-step.ts';

// What the rules do at zero, and for operations that the golden set has no layer of. Worked by hand.

describe('zPlus', () => {
  test('a maximum of 0 passes nothing on; another passes all to the first of its equals', () => {
    const attributes = { kernel_shape: { ints: [1, 2] }, strides: { ints: [1, 2] } };
    const passed = passBack('zPlus', {
      op: 'MaxPool',
      inputs: [tensor([0, 0, 2, 2], [1, 1, 1, 4])],
      constants: [],
      output: tensor([0, 2], [1, 1, 1, 2]),
      arrived: tensor([5, 7], [1, 1, 1, 2]),
      attributes,
    });
    expect([...passed[0]!.data]).toEqual([0, 0, 7, 0]);
  });

  test('a difference gives the subtrahend its negative share', () => {
    const [left, right] = [tensor([3], [1, 1]), tensor([1], [1, 1])];
    const passed = passBack('zPlus', {
      op: 'Sub',
      inputs: [left, right],
      constants: [],
      output: tensor([2], [1, 1]),
      arrived: tensor([4], [1, 1]),
    });
    expect([passed[0]!.data[0], passed[1]!.data[0]]).toEqual([6, -2]);
  });

  test('a sum that cancels to exactly 0 passes nothing on', () => {
    const [left, right] = [tensor([3], [1, 1]), tensor([-3], [1, 1])];
    const passed = passBack('zPlus', {
      op: 'Add',
      inputs: [left, right],
      constants: [],
      output: zeros(1, 1),
      arrived: tensor([4], [1, 1]),
    });
    expect(passed.map((part) => Math.abs(part!.data[0]))).toEqual([0, 0]);
  });

  test('a constant summand is a bias: it takes nothing', () => {
    const passed = passBack('zPlus', {
      op: 'Add',
      inputs: [tensor([3], [1, 1]), tensor([1], [1, 1])],
      constants: [1],
      output: tensor([4], [1, 1]),
      arrived: tensor([4], [1, 1]),
    });
    expect([passed[0]!.data[0], passed[1]]).toEqual([4, null]);
  });

  test('batch normalisation passes nothing on in channels whose γ is 0, also behind a convolution', () => {
    const vectors = [tensor([2, 0], [2]), zeros(2), zeros(2), tensor([1, 1], [2])];
    const inputs = [tensor([1, 2], [1, 2, 1, 1]), ...vectors];
    const arrived = tensor([3, 5], [1, 2, 1, 1]);
    for (const producer of ['Conv', 'Concat']) {
      const [passed] = passBack('zPlus', {
        op: 'BatchNormalization',
        inputs,
        constants: [1, 2, 3, 4],
        arrived,
        producer,
      });
      expect([...passed!.data]).toEqual([3, 0]);
    }
  });

  test('a product gives all to its signal and nothing to its gate', () => {
    const signal = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
    const gate = tensor([0.5], [1, 1, 1, 1]);
    const arrived = tensor([1, 1, 1, 1], [1, 1, 2, 2]);
    const forwards = passBack('zPlus', { op: 'Mul', inputs: [signal, gate], constants: [], arrived });
    expect([forwards[0]!.data.length, forwards[1]]).toEqual([4, null]);
    const backwards = passBack('zPlus', { op: 'Mul', inputs: [gate, signal], constants: [], arrived });
    expect([backwards[0], backwards[1]!.data.length]).toEqual([null, 4]);
  });

  test('a layer that adds up to 0 passes finite numbers on, never NaN', () => {
    const attributes = { transB: { int: 1 } };
    const inputs = [zeros(1, 3), tensor([1, -1, 2, -1, -1, -1], [2, 3])];
    const [passed] = passBack('zPlus', {
      op: 'Gemm',
      inputs,
      constants: [1],
      arrived: tensor([1, 1], [1, 2]),
      attributes,
    });
    expect([...passed!.data]).toEqual([0, 0, 0]);
  });
});

describe.each(['epsilon', 'epsilonPlus', 'alphaBeta'] as const)('%s', (rule: RuleName) => {
  test('a sum of 0 is divided by +ε, and a constant summand takes its share', () => {
    const [left, right] = [tensor([3e-6], [1, 1]), tensor([-3e-6], [1, 1])];
    const passed = passBack(rule, {
      op: 'Add',
      inputs: [left, right],
      constants: [],
      output: zeros(1, 1),
      arrived: tensor([1], [1, 1]),
    });
    expect(passed[0]!.data[0]).toBeCloseTo(3, 4);
    expect(passed[1]!.data[0]).toBeCloseTo(-3, 4);
    const bias = {
      op: 'Add',
      inputs: [tensor([3], [1, 1]), tensor([1], [1, 1])],
      constants: [1],
      output: tensor([4], [1, 1]),
      arrived: tensor([4], [1, 1]),
    };
    expect(passBack(rule, bias)[0]!.data[0]).toBeCloseTo(3, 4);
  });

  test('max pooling hands all to the maximum, also where that is 0', () => {
    const attributes = { kernel_shape: { ints: [1, 2] } };
    const [passed] = passBack(rule, {
      op: 'MaxPool',
      inputs: [zeros(1, 1, 1, 2)],
      constants: [],
      output: zeros(1, 1, 1, 1),
      arrived: tensor([5], [1, 1, 1, 1]),
      attributes,
    });
    expect([...passed!.data]).toEqual([5, 0]);
  });
});

describe('gradient', () => {
  test.each([
    ['Relu', {}, [-1, 0, 2], [0, 0, 1]],
    ['LeakyRelu', { alpha: { float: 0.25 } }, [-1, 0, 2], [0.25, 0.25, 1]],
    ['Clip', { min: { float: 0 }, max: { float: 6 } }, [-1, 0, 2], [0, 0, 1]],
    ['Clip', { min: { float: -2 }, max: { float: 1 } }, [-1, 1, 2], [1, 0, 0]],
    ['HardSwish', {}, [-4, 0, 3.5], [0, 0.5, 1]],
  ] as const)('%s %o has the slopes of PyTorch', (op, attributes, values, slopes) => {
    const input = tensor([...values], [1, 3]);
    const output = tensor(
      values.map((value) => Math.max(value, 0)),
      [1, 3],
    );
    const [passed] = passBack('gradient', {
      op,
      inputs: [input],
      constants: [],
      output,
      arrived: tensor([1, 1, 1], [1, 3]),
      attributes,
    });
    passed!.data.forEach((slope, index) => {
      expect(slope).toBeCloseTo(slopes[index], 5);
    });
  });

  test('a quotient has 1/b and −a/b² for its two sides', () => {
    const passed = passBack('gradient', {
      op: 'Div',
      inputs: [tensor([6], [1, 1]), tensor([2], [1, 1])],
      constants: [],
      output: tensor([3], [1, 1]),
      arrived: tensor([1], [1, 1]),
    });
    expect([passed[0]!.data[0], passed[1]!.data[0]]).toEqual([0.5, -1.5]);
  });
});
