import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import {
  type ConvolutionUniform,
  convolutionUniforms,
  planConvolution,
  traceConvolution,
  windowSum,
} from './convolution.ts';
import { requireSame } from './shapes.ts';
import type { ConvOptions } from './window.ts';

export interface Conv2dOptions extends ConvOptions {
  /** Whether max(x, 0) is taken of the result. False unless said. */
  readonly relu?: boolean;
}

/**
 * Convolution of images (correlation, as in every network library) with a bias for each filter, and ReLU if asked.
 *
 *     input N×C×H×W, weights O×(C/groups)×kh×kw, bias O  →  N×O×h×w
 *
 * @throws ShapeError when weights, bias or groups do not fit, or the padded image is smaller than the kernel
 * @throws RangeError when a stride, dilation or pad is not a sensible integer
 * @source ONNX operator Conv
 */
export const conv2d: Kernel<'input' | 'weights' | 'bias', ConvolutionUniform | 'relu', Conv2dOptions> = {
  name: 'conv2d',
  inputs: ['input', 'weights', 'bias'],
  uniforms: { ...convolutionUniforms, relu: 'u32' },
  plan({ input, weights, bias }, options) {
    const plan = planConvolution('conv2d', input, weights, options);
    requireSame('conv2d', 'a bias', [weights[0]], bias);
    return { ...plan, uniforms: { ...plan.uniforms, relu: Number(options.relu ?? false) } };
  },
  rows: () => ['input'],
  reference({ input, weights, bias }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const filter = Math.floor(index / (u.columns * u.rows)) % u.filters;
      const value = bias[filter] + windowSum(index, input, weights, u);
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
    @group(0) @binding(3) var<storage, read_write> output: array<f32>;  // N × filters × rows × columns
    @group(0) @binding(4) var<uniform> u: Uniforms;

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
      output[index] = select(sum, max(sum, 0.0), u.relu == 1u);
    }`,
  onnx(trace, { inputs, shapes, options }) {
    const maps = traceConvolution(trace, [inputs.input, inputs.weights, inputs.bias], shapes.weights, options);
    return options.relu ? trace.node('Relu', [maps]) : maps;
  },
  samples: (random) => [
    [
      {
        input: uniformTensor(random, [2, 5, 7, 8]),
        weights: uniformTensor(random, [4, 5, 3, 2]),
        bias: uniformTensor(random, [4]),
      },
      { strides: [1, 1], pads: [1, 0, 1, 1], dilations: [1, 1], groups: 1 },
    ],
    [
      {
        input: uniformTensor(random, [2, 4, 9, 8]),
        weights: uniformTensor(random, [6, 2, 2, 3]),
        bias: uniformTensor(random, [6]),
      },
      { strides: [2, 3], pads: [0, 2, 1, 1], dilations: [2, 1], groups: 2, relu: true },
    ],
  ],
};
