import { describe, expect, test } from 'vitest';
import {
  add,
  conv2d,
  type Kernel,
  matmul,
  multiply,
  OnnxTrace,
  onnxEngine,
  positivePart,
  referenceEngine,
  softmax,
  tensor,
  zeros,
} from '../src/index.ts';

describe('referenceEngine', () => {
  test('runs kernels one after another', async () => {
    const engine = referenceEngine();
    const left = engine.upload(tensor([1, -2, 3, -4], [2, 2]));
    const sum = engine.run(add, { left, right: engine.upload(tensor([1], [])) }, undefined);
    const kept = engine.run(positivePart, { input: sum }, undefined);
    expect(await engine.download(kept)).toEqual(tensor([2, 0, 4, 0], [2, 2]));
  });

  test('a scope returns what its work returns', () => {
    const engine = referenceEngine();
    expect(engine.scope(() => engine.upload(zeros(2)))).toEqual(zeros(2));
  });

  test('refuses a resident of another engine', () => {
    const engine = referenceEngine();
    expect(() => engine.run(positivePart, { input: { shape: [2] } }, undefined)).toThrow(/resident of another engine/);
  });

  test('leaves its inputs as they were', async () => {
    const input = tensor([-1, 2], [2]);
    referenceEngine().run(positivePart, { input }, undefined);
    expect(input).toEqual(tensor([-1, 2], [2]));
  });
});

describe('onnxEngine', () => {
  test('writes down a node for each kernel and computes nothing', async () => {
    const engine = onnxEngine(13, 'test');
    const input = engine.value('image', [1, 2]);
    const doubled = engine.run(multiply, { left: input, right: engine.upload(tensor([2], [])) }, undefined);
    expect(doubled.shape).toEqual([1, 2]);
    expect(engine.trace.nodes).toEqual([
      {
        name: 'test/Mul_0',
        op: 'Mul',
        inputs: ['image', 'test/constant_0'],
        outputs: ['test/Mul_0'],
        attributes: {},
      },
    ]);
    expect(engine.nameOf(doubled)).toBe('test/Mul_0');
    await expect(engine.download(doubled)).rejects.toThrow(/no numbers yet/);
  });

  test('checks shapes while tracing', () => {
    const engine = onnxEngine(13);
    const inputs = { left: engine.value('a', [2, 3]), right: engine.value('b', [4, 2]) };
    expect(() => engine.run(matmul, inputs, {})).toThrow(/inner length 3/);
  });

  test('a stranger among the inputs is refused', () => {
    expect(() => onnxEngine(13).run(softmax, { input: zeros(1, 2) }, undefined)).toThrow(/resident of another engine/);
  });

  test('a kernel without an ONNX form is named', () => {
    const { onnx: _, ...silent } = positivePart;
    const kernel: Kernel<'input', 'count'> = silent;
    const engine = onnxEngine(13);
    expect(() => engine.run(kernel, { input: engine.value('a', [2]) }, undefined)).toThrow(
      /positivePart has no ONNX form/,
    );
  });

  test('no length of axis 0 is written into a constant', () => {
    const engine = onnxEngine(18);
    const weights = engine.value('w', [4, 3, 1, 1]);
    const inputs = { input: engine.value('x', [97, 3, 5, 5]), weights, bias: engine.value('b', [4]) };
    const options = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 } as const;
    engine.run(conv2d, inputs, options);
    expect(JSON.stringify([engine.trace.nodes, [...engine.trace.constants.values()]])).not.toContain('97');
  });
});

describe('OnnxTrace', () => {
  test('axes of a sum move from attribute to input at opset 13, of an extreme at 18', () => {
    expect(inputsOf(12, (trace) => trace.reduce('ReduceSum', 'x', [1]))).toBe(1);
    expect(inputsOf(13, (trace) => trace.reduce('ReduceSum', 'x', [1]))).toBe(2);
    expect(inputsOf(17, (trace) => trace.reduce('ReduceMax', 'x', [1]))).toBe(1);
    expect(inputsOf(18, (trace) => trace.reduce('ReduceMax', 'x', [1]))).toBe(2);
  });

  test('bounds of a slice become inputs at opset 10, pads at 11', () => {
    expect(inputsOf(9, (trace) => trace.slice('x', 1, 0, 2))).toBe(1);
    expect(inputsOf(10, (trace) => trace.slice('x', 1, 0, 2))).toBe(4);
    expect(inputsOf(10, (trace) => trace.pad('x', [0, 1], 0))).toBe(1);
    expect(inputsOf(11, (trace) => trace.pad('x', [0, 1], 0))).toBe(3);
  });

  test('a constant must fill its shape', () => {
    expect(() => new OnnxTrace(13).floats([1, 2], [3])).toThrow(/needs 3 numbers, got 2/);
  });

  function inputsOf(opset: number, write: (trace: OnnxTrace) => string): number {
    const trace = new OnnxTrace(opset);
    write(trace);
    return trace.nodes[0].inputs.length;
  }
});
