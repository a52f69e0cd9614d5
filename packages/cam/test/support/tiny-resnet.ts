import { type Graph, readModel } from '../../src/index.ts';
import { ModelBuilder } from './build-model.ts';
import { batchNorm } from './pytorch-networks.ts';

/**
 * A residual network in small: stem with max pooling, two blocks (one with a projected shortcut and stride 2, one with the
 * identity), global mean and a dense layer; odd sizes and channel counts that are no multiples of four.
 *
 * Layers `stem`, `block1` and `block2` are values behind a ReLU.
 */
export function tinyResnet(seed = 5): Graph {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 19, 17] }, seed });
  const conv = (input: string, [from, to]: readonly [number, number], side: number, stride: number) => {
    const pad = (side - 1) / 2;
    const output = net.node('Conv', [input, net.weights([to, from, side, side])], {
      kernel_shape: [side, side],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
    return batchNorm(net, output, to);
  };
  const stem = net.node('Relu', [conv(net.input, [3, 6], 7, 2)], {}, { outputs: ['stem'] });
  const pooled = net.node('MaxPool', [stem], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  const block = (input: string, [from, to]: readonly [number, number], stride: number, name: string) => {
    const first = net.node('Relu', [conv(input, [from, 5], 1, 1)]);
    const second = net.node('Relu', [conv(first, [5, 5], 3, stride)]);
    const main = conv(second, [5, to], 1, 1);
    const shortcut = from === to ? input : conv(input, [from, to], 1, stride);
    return net.node('Relu', [net.node('Add', [main, shortcut])], {}, { outputs: [name] });
  };
  const last = block(block(pooled, [6, 10], 2, 'block1'), [10, 10], 1, 'block2');
  const row = net.node('Flatten', [net.node('GlobalAveragePool', [last])], { axis: 1 });
  net.output(net.node('Gemm', [row, net.weights([4, 10]), net.weights([4])], { transB: 1 }), ['batch', 4]);
  return readModel(net.bytes());
}
