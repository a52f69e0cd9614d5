import { ModelBuilder } from '../../../cam/test/support/build-model.ts';

/** What differs from network to network. */
interface TinyOptions {
  /** Operation between the two layers: by default one that every rule crosses. */
  readonly activation?: 'Relu' | 'Erf';
  /** Added to the logit of the first class. */
  readonly bias?: number;
  /** Whether `layer4` is zero for every image. */
  readonly dead?: boolean;
}

/**
 * A network of 3×8×8 images into three classes that belongs to no family: `layer2` (4×8×8), `layer4` (6×4×4), the
 * global pooling `pooled` (6×1×1), and `unread` (6×4×4), which the logits do not depend on.
 */
export function tinyNetwork({ activation = 'Relu', bias = 0, dead = false }: TinyOptions = {}): Uint8Array {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] }, seed: 3 });
  const pads = { pads: [1, 1, 1, 1] };
  const first = net.node('Conv', [net.input, net.weights([4, 3, 3, 3]), net.weights([4], 0.1)], pads);
  net.node('Relu', [first], {}, { outputs: ['layer2'] });
  const between = net.node(activation, ['layer2']);
  const shift = net.floats(Array<number>(6).fill(dead ? -1000 : 0));
  const second = net.node('Conv', [between, net.weights([6, 4, 3, 3]), shift], { ...pads, strides: [2, 2] });
  net.node('Relu', [second], {}, { outputs: ['layer4'] });
  net.node('GlobalAveragePool', ['layer4'], {}, { outputs: ['pooled'] });
  net.node('Sigmoid', ['layer4'], {}, { outputs: ['unread'] });
  const rows = net.node('Flatten', ['pooled'], { axis: 1 });
  const logits = net.node('Gemm', [rows, net.weights([3, 6], 2), net.floats([bias, 0, 0])], { transB: 1 });
  return net.output(logits, ['batch', 3]).bytes();
}

/** A network of 3×8×8 images into three classes without a layer of more than one pixel. */
export function pixellessNetwork(): Uint8Array {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] }, seed: 3 });
  const pooled = net.node('GlobalAveragePool', [net.input]);
  const rows = net.node('Flatten', [pooled], { axis: 1 });
  return net.output(net.node('Gemm', [rows, net.weights([3, 3])]), ['batch', 3]).bytes();
}
