import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import type { Conv2dOptions } from './conv2d.ts';
import {
  type ConvolutionUniform,
  convolutionUniforms,
  planConvolution,
  traceConvolution,
  windowSum,
} from './convolution.ts';
import { requireSame } from './shapes.ts';

/**
 * Convolution, bias, a shortcut added and ReLU if asked: the end of a residual block in one pass over memory.
 *
 *     input N×C×H×W, weights O×(C/groups)×kh×kw, bias O, residual N×O×h×w  →  N×O×h×w
 *
 * @throws ShapeError when weights, bias, residual or groups do not fit, or the padded image is smaller than the kernel
 * @throws RangeError when a stride, dilation or pad is not a sensible integer
 * @source ONNX operators Conv, Add, Relu
 */
export const conv2dFused: Kernel<
  'input' | 'weights' | 'bias' | 'residual',
  ConvolutionUniform | 'relu',
  Conv2dOptions
> = {
  name: 'conv2dFused',
  inputs: ['input', 'weights', 'bias', 'residual'],
  uniforms: { ...convolutionUniforms, relu: 'u32' },
  plan({ input, weights, bias, residual }, options) {
    const plan = planConvolution('conv2dFused', input, weights, options);
    requireSame('conv2dFused', 'a bias', [weights[0]], bias);
    requireSame('conv2dFused', 'a residual', plan.output, residual);
    return { ...plan, uniforms: { ...plan.uniforms, relu: Number(options.relu ?? false) } };
  },
  rows: () => ['input', 'residual'],
  reference({ input, weights, bias, residual }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const filter = Math.floor(index / (u.columns * u.rows)) % u.filters;
      const value = bias[filter] + windowSum(index, input, weights, u) + residual[index];
      output[index] = u.relu ? Math.max(value, 0) : value;
    }
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
      relu: u32,                                                        // 1: negative results become 0
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × channels × height × width
    @group(0) @binding(1) var<storage, read> weights: array<f32>;       // filters × groupChannels × kernelHeight × kernelWidth
    @group(0) @binding(2) var<storage, read> bias: array<f32>;          // filters
    @group(0) @binding(3) var<storage, read> residual: array<f32>;      // N × filters × rows × columns
    @group(0) @binding(4) var<storage, read_write> output: array<f32>;  // N × filters × rows × columns
    @group(0) @binding(5) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let column = index % u.columns;
      let row = (index / u.columns) % u.rows;
      let filter_index = (index / (u.columns * u.rows)) % u.filters;
      let image = index / (u.columns * u.rows * u.filters);
      let first = (filter_index / u.groupFilters) * u.groupChannels; // first channel of the filter's group
      var sum = bias[filter_index];
      for (var c = 0u; c < u.groupChannels; c++) {
        for (var ky = 0u; ky < u.kernelHeight; ky++) {
          let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
          if (y < 0 || y >= i32(u.height)) { continue; }
          let inputRow = ((image * u.channels + first + c) * u.height + u32(y)) * u.width;
          let weightRow = ((filter_index * u.groupChannels + c) * u.kernelHeight + ky) * u.kernelWidth;
          for (var kx = 0u; kx < u.kernelWidth; kx++) {
            let x = i32(column * u.strideX + kx * u.dilationX) - i32(u.padLeft);
            if (x >= 0 && x < i32(u.width)) { sum += input[inputRow + u32(x)] * weights[weightRow + kx]; }
          }
        }
      }
      sum += residual[index];
      output[index] = select(sum, max(sum, 0.0), u.relu == 1u);
    }`,
  onnx(trace, { inputs, shapes, options }) {
    const maps = traceConvolution(trace, [inputs.input, inputs.weights, inputs.bias], shapes.weights, options);
    const sum = trace.node('Add', [maps, inputs.residual]);
    return options.relu ? trace.node('Relu', [sum]) : sum;
  },
  samples: (random) => [
    [
      {
        input: uniformTensor(random, [2, 5, 7, 8]),
        weights: uniformTensor(random, [4, 5, 3, 2]),
        bias: uniformTensor(random, [4]),
        residual: uniformTensor(random, [2, 4, 7, 8]),
      },
      { strides: [1, 1], pads: [1, 0, 1, 1], dilations: [1, 1], groups: 1 },
    ],
    [
      {
        input: uniformTensor(random, [2, 4, 9, 8]),
        weights: uniformTensor(random, [6, 2, 2, 3]),
        bias: uniformTensor(random, [6]),
        residual: uniformTensor(random, [2, 6, 4, 3]),
      },
      { strides: [2, 3], pads: [0, 2, 1, 1], dilations: [2, 1], groups: 2, relu: true },
    ],
  ],
};
