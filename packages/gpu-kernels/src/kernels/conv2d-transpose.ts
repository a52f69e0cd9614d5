import type { Call, Kernel, Named } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { type ConvolutionUniform, convolutionUniforms, planConvolutionBack } from './convolution.ts';
import { type ConvOptions, type Pair, spreadAttributes } from './window.ts';

/** The options of the convolution that is gone back through, and the height and width of its image. */
export interface ConvTransposeOptions extends ConvOptions {
  readonly outputSize: Pair;
}

/**
 * The gradient of `conv2d` with respect to its image: every map element is spread over its window.
 *
 *     input N×O×h×w (at the convolution's output), weights O×(C/groups)×kh×kw as in conv2d  →  N×C×H×W
 *
 * Pixels that no window reads get 0.
 *
 * @throws ShapeError when an image of `outputSize` would not give maps of the input's shape
 * @throws RangeError when a stride, dilation or pad is not a sensible integer
 */
export const conv2dTranspose: Kernel<'input' | 'weights', ConvolutionUniform, ConvTransposeOptions> = {
  name: 'conv2dTranspose',
  inputs: ['input', 'weights'],
  uniforms: convolutionUniforms,
  plan: ({ input, weights }, options) => planConvolutionBack('conv2dTranspose', { maps: input, weights }, options),
  rows: () => ['input'],
  reference({ input, weights }, u, output) {
    for (let index = 0; index < u.count; index++) output[index] = gather(index, input, weights, u);
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,
      channels: u32, height: u32, width: u32,
      filters: u32, rows: u32, columns: u32,
      kernelHeight: u32, kernelWidth: u32,
      strideY: u32, strideX: u32,
      padTop: u32, padLeft: u32,
      dilationY: u32, dilationX: u32,
      groupChannels: u32, groupFilters: u32,
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × filters × rows × columns
    @group(0) @binding(1) var<storage, read> weights: array<f32>;       // filters × groupChannels × kernelHeight × kernelWidth
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;  // N × channels × height × width
    @group(0) @binding(3) var<uniform> u: Uniforms;

    // The window that reads pixel position with its tap k, counted along one axis, or -1.
    fn windowAt(position: u32, pad: u32, k: u32, dilation: u32, stride: u32, windows: u32) -> i32 {
      let start = i32(position + pad) - i32(k * dilation);
      if (start < 0 || u32(start) % stride != 0u || u32(start) / stride >= windows) { return -1; }
      return start / i32(stride);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let x = index % u.width;
      let y = (index / u.width) % u.height;
      let channel = (index / (u.width * u.height)) % u.channels;
      let image = index / (u.width * u.height * u.channels);
      let first = (channel / u.groupChannels) * u.groupFilters; // first filter of the channel's group
      let c = channel % u.groupChannels;
      var sum = 0.0;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let row = windowAt(y, u.padTop, ky, u.dilationY, u.strideY, u.rows);
        if (row < 0) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let column = windowAt(x, u.padLeft, kx, u.dilationX, u.strideX, u.columns);
          if (column < 0) { continue; }
          for (var f = first; f < first + u.groupFilters; f++) {
            let weight = weights[((f * u.groupChannels + c) * u.kernelHeight + ky) * u.kernelWidth + kx];
            sum += weight * input[((image * u.filters + f) * u.rows + u32(row)) * u.columns + u32(column)];
          }
        }
      }
      output[index] = sum;
    }`,
  onnx(trace, call) {
    const { strides, groups } = call.options;
    const plain = groups === 1 && strides[0] === 1 && strides[1] === 1;
    return (plain && asConvolution(trace, call)) || asConvTranspose(trace, call);
  },
  samples: (random) => [
    [
      { input: uniformTensor(random, [2, 4, 7, 8]), weights: uniformTensor(random, [4, 5, 3, 2]) },
      { strides: [1, 1], pads: [1, 0, 1, 1], dilations: [1, 1], groups: 1, outputSize: [7, 8] },
    ],
    [
      { input: uniformTensor(random, [2, 4, 8, 9]), weights: uniformTensor(random, [4, 3, 1, 1]) },
      { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1, outputSize: [6, 7] },
    ],
    [
      { input: uniformTensor(random, [2, 5, 4, 3]), weights: uniformTensor(random, [5, 3, 1, 1]) },
      { strides: [2, 3], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, outputSize: [8, 9] },
    ],
    [
      { input: uniformTensor(random, [2, 6, 4, 3]), weights: uniformTensor(random, [6, 2, 2, 3]) },
      { strides: [2, 3], pads: [0, 2, 1, 1], dilations: [2, 1], groups: 2, outputSize: [9, 8] },
    ],
  ],
};

/** With stride 1: a convolution with the kernel rotated, several times faster in ONNX Runtime than ConvTranspose. */
function asConvolution(
  trace: OnnxTrace,
  { inputs, shapes, options: { dilations, pads } }: Call<'input' | 'weights', ConvTransposeOptions>,
): string | undefined {
  const [kernelHeight, kernelWidth] = shapes.weights.slice(2);
  const reach = [dilations[0] * (kernelHeight - 1), dilations[1] * (kernelWidth - 1)];
  const around = pads.map((pad, side) => reach[side % 2] - pad);
  if (around.some((pad) => pad < 0)) return undefined; // the convolution's padding was wider than its kernel
  let rotated = trace.node('Transpose', [inputs.weights], { perm: { ints: [1, 0, 2, 3] } });
  if (kernelHeight > 1) rotated = trace.node('Gather', [rotated, countdown(trace, kernelHeight)], { axis: { int: 2 } });
  if (kernelWidth > 1) rotated = trace.node('Gather', [rotated, countdown(trace, kernelWidth)], { axis: { int: 3 } });
  return trace.node('Conv', [inputs.input, rotated], {
    kernel_shape: { ints: [kernelHeight, kernelWidth] },
    strides: { ints: [1, 1] },
    dilations: { ints: dilations },
    pads: { ints: around },
  });
}

function asConvTranspose(
  trace: OnnxTrace,
  { inputs, shapes, options }: Call<'input' | 'weights', ConvTransposeOptions>,
): string {
  const grid: Pair = [shapes.input[2], shapes.input[3]];
  const kernel: Pair = [shapes.weights[2], shapes.weights[3]];
  const attributes = spreadAttributes(grid, options.outputSize, { ...options, kernel });
  return trace.node('ConvTranspose', [inputs.input, inputs.weights], { ...attributes, group: { int: options.groups } });
}

function countdown(trace: OnnxTrace, length: number): string {
  return trace.integers(Array.from({ length }, (_, index) => length - 1 - index));
}

function gather(
  index: number,
  input: Float32Array,
  weights: Float32Array,
  u: Named<ConvolutionUniform, number>,
): number {
  const x = index % u.width;
  const y = Math.floor(index / u.width) % u.height;
  const channel = Math.floor(index / (u.width * u.height)) % u.channels;
  const image = Math.floor(index / (u.width * u.height * u.channels));
  const first = Math.floor(channel / u.groupChannels) * u.groupFilters;
  const c = channel % u.groupChannels;
  let sum = 0;
  for (let ky = 0; ky < u.kernelHeight; ky++) {
    for (let kx = 0; kx < u.kernelWidth; kx++) {
      const row = (y + u.padTop - ky * u.dilationY) / u.strideY;
      const column = (x + u.padLeft - kx * u.dilationX) / u.strideX;
      if (!isIndex(row, u.rows) || !isIndex(column, u.columns)) continue;
      for (let f = first; f < first + u.groupFilters; f++) {
        const weight = weights[((f * u.groupChannels + c) * u.kernelHeight + ky) * u.kernelWidth + kx];
        sum += weight * input[((image * u.filters + f) * u.rows + row) * u.columns + column];
      }
    }
  }
  return sum;
}

function isIndex(position: number, length: number): boolean {
  return Number.isInteger(position) && position >= 0 && position < length;
}
