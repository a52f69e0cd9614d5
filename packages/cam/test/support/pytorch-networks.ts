import { type Dim, ModelBuilder } from './build-model.ts';
import type { Network } from './networks.ts';

const opsets = [7, 9, 11, 13, 17, 18, 22];

/** Small classifiers of 3×8×8 images as torch.onnx.export lays them out, at the opsets it has offered. */
export const pytorchNetworks: readonly Network[] = [
  ...opsets.flatMap((opset) => [
    convolutional(opset, ['batch', 3, 8, 8], 'flatten'),
    convolutional(opset, ['batch', 3, 8, 8], 'view'),
    convolutional(opset, [1, 3, 8, 8], 'constant view'),
    bottleneck(opset, ['batch', 3, 8, 8]),
  ]),
  convolutional(17, [2, 3, 8, 8], 'constant view'),
  convolutional(17, ['batch', 3, 'height', 'width'], 'view'),
  shuffling(17, [1, 3, 8, 8]),
  shuffling(13, ['batch', 3, 8, 8]),
  bottleneck(17, [1, 3, 8, 8]),
  squeezing(11, ['batch', 3, 8, 8]),
  squeezing(17, ['batch', 3, 8, 8]),
  patches(17, ['batch', 3, 8, 8]),
  patches(17, [1, 3, 8, 8]),
];

/** Conv, batch norm, ReLU6, pooling with rounding up, grouped and dilated Conv, residual sum, one of three endings. */
function convolutional(opset: number, dims: readonly Dim[], ending: 'flatten' | 'view' | 'constant view'): Network {
  const net = new ModelBuilder({ opset, input: { dims }, seed: opset });
  const first = batchNorm(net, conv(net, net.input, [8, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), 8);
  const clipped = clip(net, first, 0, 6);
  const pooled = net.node('MaxPool', [clipped], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    ...(opset >= 10 ? { ceil_mode: 1 } : { pads: [0, 0, 1, 1] }),
  });
  const grouped = conv(net, pooled, [8, 2, 3, 3], { group: 4, dilations: [2, 2], pads: [2, 2, 2, 2] });
  const sum = net.node('Relu', [net.node('Add', [grouped, pooled])]);
  const average = net.node('AveragePool', [sum], { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 1, 1, 0] });
  const rows = flattened(net, average, 32, dims, ending);
  const logits = net.node('Gemm', [dropout(net, rows), net.weights([5, 32]), net.weights([5])], { transB: 1 });
  net.output(logits, [dims[0], 5]);
  return {
    title: `PyTorch opset ${opset}, ${ending}, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
  };
}

function flattened(net: ModelBuilder, value: string, width: number, dims: readonly Dim[], ending: string): string {
  if (ending === 'flatten') return net.node('Flatten', [value], { axis: 1 });
  if (ending === 'constant view') return net.node('Reshape', [value, net.integers([Number(dims[0]), width])]);
  // x.view(x.size(0), -1)
  const zero = net.node('Constant', [], { value: { tensor: { dims: [], dataType: 7, int64Data: [0n] } } });
  const size = net.node('Gather', [net.node('Shape', [value]), zero], { axis: 0 });
  const minusOne = net.node('Constant', [], { value: { tensor: { dims: [1n], dataType: 7, int64Data: [-1n] } } });
  const target = net.node('Concat', [unsqueeze(net, size, 0), minusOne], { axis: 0 });
  return net.node('Reshape', [value, target]);
}

/** A squeeze-and-excitation block, channel slices, padding, leaky ReLU, a mean over space. */
function bottleneck(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { dims }, seed: 100 + opset });
  const padded = pad(net, net.input, [0, 0, 1, 0, 0, 0, 0, 1]);
  const first = net.node('LeakyRelu', [conv(net, padded, [6, 3, 2, 2], {})], { alpha: { float: 0.1 } });
  const squeezed = mean(net, first, [2, 3], 1);
  const excited = net.node('Sigmoid', [conv(net, squeezed, [6, 6, 1, 1], {})]);
  const scaled = net.node('Mul', [first, excited]);
  const half = slice(net, scaled, 1, 0, 4);
  const joined = net.node('Concat', [half, scaled], { axis: 1 });
  const centred = net.node('Div', [net.node('Sub', [joined, net.floats([0.1])]), net.floats([2], [])]);
  const rows = mean(net, centred, [-2, -1], 0);
  const hidden = net.node('MatMul', [rows, net.weights([10, 7])]);
  const logits = net.node('Add', [net.weights([7]), hidden]);
  net.output(net.node('Softmax', [logits], { axis: 1 }), [dims[0], 7]);
  return {
    title: `PyTorch opset ${opset}, squeeze and excitation, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
    softmax: true,
  };
}

/** A channel shuffle as ShuffleNet has it; its views hold the batch size as a number where the batch is fixed. */
function shuffling(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { dims }, seed: 5 });
  const first = conv(net, net.input, [6, 3, 3, 3], { pads: [1, 1, 1, 1] });
  const batch = typeof dims[0] === 'number' ? dims[0] : -1;
  const groups = net.node('Reshape', [first, net.integers([batch, 2, 3, 8, 8])]);
  const swapped = net.node('Transpose', [groups], { perm: [0, 2, 1, 3, 4] });
  const shuffled = net.node('Reshape', [swapped, net.integers([batch, 6, 8, 8])]);
  const parts = ['left', 'right'];
  net.node(
    'Split',
    opset >= 13 ? [shuffled, net.integers([2, 4])] : [shuffled],
    opset >= 13 ? { axis: 1 } : { axis: 1, split: [2, 4] },
    { outputs: parts },
  );
  const second = conv(net, parts[1], [4, 1, 3, 3], { group: 4, strides: [2, 2] });
  const pooled = net.node('GlobalMaxPool', [second]);
  const logits = conv(net, pooled, [5, 4, 1, 1], {});
  net.output(logits, [dims[0], 5, 1, 1]);
  return {
    title: `PyTorch opset ${opset}, channel shuffle, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
  };
}

/** Upsampling to a size computed from the input's, a transposed Conv, squeeze() without axes. */
function squeezing(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { dims }, seed: 6 });
  const first = net.node('Relu', [conv(net, net.input, [4, 3, 3, 3], { strides: [2, 2] })]);
  const size = slice(net, net.node('Shape', [net.input]), 0, 2, 4);
  const lead = slice(net, net.node('Shape', [first]), 0, 0, 2);
  const sizes = net.node('Concat', [lead, size], { axis: 0 });
  const unused = opset < 13 ? net.floats([]) : ''; // before opset 13 what is not given is given empty
  const larger = net.node('Resize', [first, unused, unused, sizes], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
  const up = net.node('ConvTranspose', [larger, net.weights([4, 3, 3, 3])], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1],
  });
  const pooled = net.node('GlobalAveragePool', [net.node('HardSigmoid', [up])]);
  const logits = conv(net, pooled, [5, 3, 1, 1], {});
  const axes = opset >= 13 ? [net.integers([2, 3])] : [];
  const squeezed = net.node('Squeeze', [logits, ...axes], opset >= 13 ? {} : { axes: [2, 3] });
  net.output(net.node('Identity', [squeezed]), [dims[0], 5]);
  return {
    title: `PyTorch opset ${opset}, resize and transposed convolution`,
    bytes: net.bytes(),
    batch: dims[0],
    open: true,
  };
}

/** Patch tokens and a class token expanded to the batch: shape arithmetic that has to stay where the batch is open. */
function patches(opset: number, dims: readonly Dim[]): Network {
  const net = new ModelBuilder({ opset, input: { dims }, seed: 8 });
  const fixed = typeof dims[0] === 'number';
  const embedded = conv(net, net.input, [6, 3, 4, 4], { strides: [4, 4] });
  const batch = net.node('Gather', [net.node('Shape', [embedded]), net.integers([0], [])], { axis: 0 });
  const first = unsqueeze(net, batch, 0);
  const target = net.node('Concat', [first, net.integers([6, 4])], { axis: 0 });
  const tokens = net.node('Transpose', [net.node('Reshape', [embedded, target])], { perm: [0, 2, 1] });
  const ones = net.node('Concat', [fixed ? net.integers([1]) : first, net.integers([1, 6])], { axis: 0 });
  const token = net.node('Expand', [net.weights([1, 1, 6]), ones]);
  const all = net.node('Concat', [token, tokens], { axis: 1 });
  const keys = net.node('Transpose', [all], { perm: [0, 2, 1] });
  const attention = net.node('Softmax', [net.node('MatMul', [all, keys])], { axis: -1 });
  const mixed = net.node('MatMul', [attention, all]);
  const row = net.node('Gather', [mixed, net.integers([0], [])], { axis: 1 });
  net.output(net.node('Gemm', [row, net.weights([6, 5])]), [dims[0], 5]);
  return {
    title: `PyTorch opset ${opset}, patch tokens, ${dims.join('×')}`,
    bytes: net.bytes(),
    batch: dims[0],
    open: !fixed,
  };
}

function conv(
  net: ModelBuilder,
  input: string,
  shape: readonly number[],
  attributes: { [name: string]: number | number[] },
): string {
  const bias = net.weights([shape[0]]);
  return net.node('Conv', [input, net.weights(shape), bias], { kernel_shape: shape.slice(2), ...attributes });
}

/** A BatchNormalization with statistics of its own. */
export function batchNorm(net: ModelBuilder, input: string, channels: number): string {
  const positive = () => net.floats(Array.from({ length: channels }, () => net.random.uniformBetween(0.5, 1.5)));
  const inputs = [input, positive(), net.weights([channels]), net.weights([channels]), positive()];
  return net.node('BatchNormalization', inputs, { epsilon: { float: 1e-3 }, momentum: { float: 0.9 } });
}

function clip(net: ModelBuilder, input: string, low: number, high: number): string {
  if (net.opset < 11) return net.node('Clip', [input], { min: { float: low }, max: { float: high } });
  return net.node('Clip', [input, net.floats([low], []), net.floats([high], [])]);
}

function dropout(net: ModelBuilder, input: string): string {
  if (net.opset < 12) return net.node('Dropout', [input], { ratio: { float: 0.5 } });
  return net.node('Dropout', [input, net.floats([0.5], [])]);
}

function unsqueeze(net: ModelBuilder, input: string, axis: number): string {
  if (net.opset < 13) return net.node('Unsqueeze', [input], { axes: [axis] });
  return net.node('Unsqueeze', [input, net.integers([axis])]);
}

function mean(net: ModelBuilder, input: string, axes: readonly number[], keepdims: number): string {
  if (net.opset < 18) return net.node('ReduceMean', [input], { axes, keepdims });
  return net.node('ReduceMean', [input, net.integers(axes)], { keepdims });
}

function slice(net: ModelBuilder, input: string, axis: number, start: number, end: number): string {
  if (net.opset < 10) return net.node('Slice', [input], { axes: [axis], starts: [start], ends: [end] });
  return net.node('Slice', [input, ...[start, end, axis].map((bound) => net.integers([bound]))]);
}

function pad(net: ModelBuilder, input: string, pads: readonly number[]): string {
  if (net.opset < 11) return net.node('Pad', [input], { pads, mode: 'constant' });
  return net.node('Pad', [input, net.integers(pads)]);
}
