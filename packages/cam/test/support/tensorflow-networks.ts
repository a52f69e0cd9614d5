import { type Dim, ModelBuilder } from './build-model.ts';
import type { Network } from './networks.ts';

/** Small classifiers of 8×8×3 images as tf2onnx lays Keras models out: channels last outside, first inside. */
export const tensorflowNetworks: readonly Network[] = [
  ...[9, 13, 18].flatMap((opset) => [mobile(opset, ['unk__7', 8, 8, 3]), residual(opset, ['unk__7', 8, 8, 3])]),
  mobile(13, [1, 8, 8, 3]),
  mobile(13, ['unk__7', 'unk__8', 'unk__9', 3]),
  lastInside(13, ['unk__7', 8, 8, 3]),
];

/** SAME padding by auto_pad, depthwise Conv, batch norm as Mul and Add, mean over space, Squeeze, MatMul, Softmax. */
function mobile(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { name: 'input_1', dims }, seed: opset });
  const first = net.node('Transpose', [net.input], { perm: [0, 3, 1, 2] });
  const same = { auto_pad: 'SAME_UPPER', strides: [2, 2] };
  const wide = net.node('Conv', [first, kernel(net, [3, 3, 3, 8])], { ...same, kernel_shape: [3, 3] });
  const normed = net.node('Add', [net.node('Mul', [wide, net.weights([1, 8, 1, 1])]), net.weights([1, 8, 1, 1])]);
  const low = { auto_pad: 'SAME_LOWER', strides: [2, 2] };
  const depthwise = net.node('Conv', [normed, net.weights([8, 1, 3, 3])], { ...low, group: 8, kernel_shape: [3, 3] });
  const pooled = net.node('MaxPool', [net.node('Relu', [depthwise])], { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3] });
  const averaged = net.node('AveragePool', [pooled], { auto_pad: 'VALID', kernel_shape: [2, 2] });
  const mean = net.node('GlobalAveragePool', [averaged]);
  const axes = opset >= 13 ? [net.integers([2, 3])] : [];
  const rows = net.node('Squeeze', [mean, ...axes], opset >= 13 ? {} : { axes: [2, 3] });
  const logits = net.node('Add', [net.node('MatMul', [rows, net.weights([8, 6])]), net.weights([6])]);
  net.output(net.node('Identity', [net.node('Softmax', [logits], { axis: 1 })]), [dims[0], 6]);
  return {
    title: `tf2onnx opset ${opset}, mobile, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
    softmax: true,
    channelsLast: true,
  };
}

/** Weights stored height×width×in×out and transposed by a node, as tf2onnx leaves them when told not to optimise. */
function kernel(net: ModelBuilder, shape: readonly number[]): string {
  return net.node('Transpose', [net.weights(shape)], { perm: [3, 2, 0, 1] });
}

/** Explicit padding, a residual sum, a Transpose back to channels last before the flattening Reshape. */
function residual(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { name: 'input_1', dims }, seed: 20 + opset });
  const pads = [0, 1, 1, 0, 0, 1, 1, 0];
  const padded = opset < 11 ? net.node('Pad', [net.input], { pads }) : net.node('Pad', [net.input, net.integers(pads)]);
  const first = net.node('Transpose', [padded], { perm: [0, 3, 1, 2] });
  const conv = net.node('Conv', [first, net.weights([4, 3, 3, 3]), net.weights([4])], {
    strides: [2, 2],
    kernel_shape: [3, 3],
  });
  const branch = net.node('Conv', [conv, net.weights([4, 4, 1, 1])], { kernel_shape: [1, 1] });
  const sum = net.node('Relu', [net.node('Sum', [conv, branch])]);
  const last = net.node('Transpose', [sum], { perm: [0, 2, 3, 1] });
  const rows = net.node('Reshape', [last, net.integers([-1, 64])]);
  const logits = net.node('Add', [net.node('MatMul', [rows, net.weights([64, 6])]), net.weights([6])]);
  net.output(net.node('Softmax', [logits], { axis: 1 }), [dims[0], 6]);
  return {
    title: `tf2onnx opset ${opset}, residual, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
    softmax: true,
    channelsLast: true,
  };
}

/** Every Conv between two Transposes of its own, pairs of which cancel. */
function lastInside(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { name: 'input_1', dims }, seed: 40 });
  let value = net.input;
  for (const channels of [3, 4]) {
    const first = net.node('Transpose', [value], { perm: [0, 3, 1, 2] });
    const conv = net.node('Conv', [first, net.weights([4, channels, 3, 3])], { kernel_shape: [3, 3] });
    value = net.node('Transpose', [conv], { perm: [0, 2, 3, 1] });
  }
  const mean = net.node('ReduceMean', [value], { axes: [1, 2], keepdims: 0 });
  net.output(net.node('Gemm', [mean, net.weights([4, 6])]), [dims[0], 6]);
  return {
    title: `tf2onnx opset ${opset}, channels last inside`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
    channelsLast: true,
  };
}
