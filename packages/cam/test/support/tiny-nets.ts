import { type Graph, readModel } from '../../src/index.ts';
import { ModelBuilder } from './build-model.ts';

/** seq(n, m, q, o)[i] = (((o + i)·m) mod q)/q: the formula that the hand-sized golden cases take their numbers from. */
export function sequence(count: number, factor: number, modulus: number, offset = 0): number[] {
  return Array.from({ length: count }, (_, i) => (((offset + i) * factor) % modulus) / modulus);
}

/** Case C: conv 3→4 (3×3, stride 2, pad 1), ReLU (the target layer, `features`), global mean, dense 4→5. */
export function caseC(): Graph {
  return readModel(caseCBytes());
}

export function caseCBytes(): Uint8Array<ArrayBuffer> {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 6, 6] } });
  const weights = net.floats(
    Array.from({ length: 4 * 27 }, (_, n) => ((53 * n) % 97) / 97 - 0.5),
    [4, 3, 3, 3],
  );
  const dense = net.floats(
    Array.from({ length: 20 }, (_, n) => (((29 * (3 + n)) % 71) / 71) * 4 - 2),
    [5, 4],
  );
  const conv = net.node('Conv', [net.input, weights], { strides: [2, 2], pads: [1, 1, 1, 1] });
  net.node('Relu', [conv], {}, { outputs: ['features'] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', ['features'])], { axis: 1 });
  net.output(net.node('Gemm', [rows, dense], { transB: 1 }), ['batch', 5]);
  return net.bytes();
}

/** Case R: a residual block on 4 channels of 4×4; `x` is its input behind a ReLU that changes nothing, `y` its output. */
export function caseR(): Graph {
  return readModel(caseRBytes());
}

export function caseRBytes(): Uint8Array<ArrayBuffer> {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 4, 4, 4] } });
  const shifted = (count: number, m: number, q: number, o: number, less: number, shape: number[]) =>
    net.floats(
      sequence(count, m, q, o).map((value) => value - less),
      shape,
    );
  const norm = (value: string, channels: number, o: number) => {
    const vector = (m: number, q: number, scale: number, plus: number) =>
      net.floats(sequence(channels, m, q, o).map((number) => scale * number + plus));
    const parts = [
      vector(7, 11, 0.5, 0.6),
      vector(5, 13, 0.4, -0.2),
      vector(3, 17, 0.2, -0.1),
      vector(11, 19, 0.8, 0.3),
    ];
    return net.node('BatchNormalization', [value, ...parts], { epsilon: { float: 1e-5 } });
  };
  net.node('Relu', [net.input], {}, { outputs: ['x'] });
  const half = { strides: [2, 2] };
  const conv1 = net.node('Conv', ['x', shifted(180, 53, 97, 0, 0.5, [5, 4, 3, 3])], { ...half, pads: [1, 1, 1, 1] });
  const relu1 = net.node('Relu', [norm(conv1, 5, 0)]);
  const main = norm(net.node('Conv', [relu1, shifted(30, 29, 71, 0, 0.4, [6, 5, 1, 1])]), 6, 5);
  const shortcut = norm(net.node('Conv', ['x', shifted(24, 31, 61, 2, 0.5, [6, 4, 1, 1])], half), 6, 9);
  net.node('Relu', [net.node('Add', [main, shortcut])], {}, { outputs: ['y'] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', ['y'])], { axis: 1 });
  const dense = [shifted(18, 17, 43, 1, 0.45, [3, 6]), net.floats([0.1, -0.2, 0.3])];
  net.output(net.node('Gemm', [rows, ...dense], { transB: 1 }), ['batch', 3]);
  return net.bytes();
}

/** Two convolutions with biases, ReLUs, a global mean and a dense layer: every relevance rule has something to do. */
export function plainNet(seed = 3): Graph {
  return readModel(plainNetBytes(seed));
}

export function plainNetBytes(seed = 3): Uint8Array<ArrayBuffer> {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 6, 6] }, seed });
  const pads = { pads: [1, 1, 1, 1] };
  net.node(
    'Relu',
    [net.node('Conv', [net.input, net.weights([5, 3, 3, 3]), net.weights([5])], pads)],
    {},
    { outputs: ['early'] },
  );
  const second = net.node('Conv', ['early', net.weights([7, 5, 3, 3]), net.weights([7])], { ...pads, strides: [2, 2] });
  net.node('Relu', [second], {}, { outputs: ['late'] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', ['late'])], { axis: 1 });
  net.output(net.node('Gemm', [rows, net.weights([4, 7]), net.weights([4])], { transB: 1 }), ['batch', 4]);
  return net.bytes();
}

/** The files of test-fixtures/networks and what makes them. */
export const tinyNetworks: { readonly [file: string]: () => Uint8Array<ArrayBuffer> } = {
  'case-c.onnx': caseCBytes,
  'case-r.onnx': caseRBytes,
  'plain.onnx': plainNetBytes,
};
