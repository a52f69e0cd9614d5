import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { show } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import {
  type Conv2dLast,
  type Conv2dLastInput,
  type Conv2dLastOptions,
  type Conv2dLastUniform,
  conv2dLastUniforms,
  planConv2dLast,
  rowsOfConv2dLast,
} from './conv2d-last-plan.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';
import { uniformsText } from './conv2d-text.ts';

/**
 * A convolution of each channel by itself, or its way back, with channels last, plus bias and a shortcut, then ReLU if asked.
 *
 *     input N×H×W×C₄, weights (h·w)×C₄ from `packDepthwise`, bias C₄, residual N×rows×columns×C₄ or C₄  →  N×rows×columns×C₄
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const depthwiseLast: Kernel<Conv2dLastInput, Conv2dLastUniform, Conv2dLastOptions> = {
  name: 'depthwiseLast',
  inputs: ['input', 'weights', 'bias', 'residual'],
  uniforms: conv2dLastUniforms,
  plan: (shapes, options) => planDepthwise('depthwiseLast', shapes, options),
  rows: rowsOfConv2dLast,
  reference: referenceDepthwise,
  wgsl: /* wgsl */ `${uniformsText()}
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quadsIn
    @group(0) @binding(1) var<storage, read> weights: array<vec4f>;      // kernelHeight × kernelWidth × quadsOut
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
    @group(0) @binding(3) var<storage, read> residual: array<vec4f>;     // pixels × quadsOut, or quadsOut
    @group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // pixels × quadsOut
    @group(0) @binding(5) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.pixels * u.quadsOut) { return; }
      let quad = index % u.quadsOut;
      let pixel = index / u.quadsOut;
      let row = (pixel / u.columns) % u.rows;
      let image = pixel / (u.columns * u.rows);
      var sum = bias[quad] + residual[pixel * u.residualStep + quad];
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || u32(y) % u.spreadY != 0u || u32(y) / u.spreadY >= u.height) { continue; }
        let first = (image * u.height + u32(y) / u.spreadY) * u.width;
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(pixel % u.columns * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x < 0 || u32(x) % u.spreadX != 0u || u32(x) / u.spreadX >= u.width) { continue; }
          let value = input[(first + u32(x) / u.spreadX) * u.quadsIn + quad];
          sum = fma(value, weights[(ky * u.kernelWidth + kx) * u.quadsOut + quad], sum);
        }
      }
      output[index] = select(sum, max(sum, vec4f()), u.relu == 1u);
    }`,
  onnx: (trace, call) => traceConv2dLast(trace, call, call.shapes.input[3]),
  samples: (random) => [
    [
      {
        input: uniformTensor(random, [2, 7, 6, 12]),
        weights: uniformTensor(random, [9, 12]),
        bias: uniformTensor(random, [12]),
        residual: uniformTensor(random, [2, 4, 3, 12]),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true },
    ],
    [
      {
        input: uniformTensor(random, [2, 4, 3, 8]),
        weights: uniformTensor(random, [6, 8]),
        bias: uniformTensor(random, [8]),
        residual: uniformTensor(random, [8]),
      },
      { kernel: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], dilations: [1, 2], back: [8, 4] },
    ],
  ],
};

/** Fits the tensors to each other, as float32. @throws ShapeError when they do not */
export function planDepthwise(
  where: string,
  shapes: Parameters<Conv2dLast['plan']>[0],
  options: Conv2dLastOptions,
): ReturnType<Conv2dLast['plan']> {
  const plan = planConv2dLast(where, shapes, options, {
    workgroups: ({ pixels, quadsOut }) => Math.ceil((pixels * quadsOut) / 64),
    depth: options.kernel[0] * options.kernel[1],
  });
  if (shapes.weights[1] === shapes.input[3]) return plan;
  throw new ShapeError(where, `weights for each of ${shapes.input[3]} channels`, show(shapes.weights));
}

/** The plainest loops: one sum for each number of the output. */
export function referenceDepthwise(...[inputs, u, output]: Parameters<Conv2dLast['reference']>): void {
  const { input, weights, bias, residual } = inputs;
  const channels = 4 * u.quadsOut;
  for (let index = 0; index < u.pixels * channels; index++) {
    const channel = index % channels;
    const pixel = Math.floor(index / channels);
    const column = pixel % u.columns;
    const row = Math.floor(pixel / u.columns) % u.rows;
    const image = Math.floor(pixel / (u.columns * u.rows));
    let sum = bias[channel] + residual[4 * pixel * u.residualStep + channel];
    for (let place = 0; place < u.kernelHeight * u.kernelWidth; place++) {
      const y = (row * u.strideY + Math.floor(place / u.kernelWidth) * u.dilationY - u.padTop) / u.spreadY;
      const x = (column * u.strideX + (place % u.kernelWidth) * u.dilationX - u.padLeft) / u.spreadX;
      if (!Number.isInteger(y) || !Number.isInteger(x) || y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
      sum += input[((image * u.height + y) * u.width + x) * channels + channel] * weights[place * channels + channel];
    }
    output[index] = u.relu ? Math.max(sum, 0) : sum;
  }
}
