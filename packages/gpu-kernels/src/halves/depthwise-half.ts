import { conv2dLastUniforms, rowsOfConv2dLast } from '../channels-last/conv2d-last-plan.ts';
import { uniformsText } from '../channels-last/conv2d-text.ts';
import { planDepthwise, referenceDepthwise } from '../channels-last/depthwise-last.ts';
import { uniformTensor } from '../random.ts';
import type { Conv2dHalf } from './conv2d-half-plan.ts';
import {
  boundedHalves,
  doubledShape,
  fromHalves,
  HALF_ROUNDING,
  halvedShape,
  requireHalves,
  toHalves,
  writeHalves,
} from './half.ts';

/**
 * `depthwiseLast` with halves in memory and sums in float32. Weights are float32, for there are few of them.
 *
 *     input N×H×W×C₄/2 words, weights (h·w)×C₄ from `packDepthwise`, bias C₄, residual …×C₄/2 words or C₄/2 words
 *       →  N×rows×columns×C₄/2 words
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const depthwiseHalf: Conv2dHalf = {
  name: 'depthwiseHalf',
  inputs: ['input', 'weights', 'bias', 'residual'],
  halves: ['input', 'residual', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: conv2dLastUniforms,
  plan({ input, weights, bias, residual }, options) {
    requireHalves('depthwiseHalf', 'an input', input);
    const numbers = { input: doubledShape(input), weights, bias, residual: doubledShape(residual) };
    const plan = planDepthwise('depthwiseHalf', numbers, options);
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: rowsOfConv2dLast,
  reference({ input, residual, ...rest }, u, output) {
    const sums = new Float32Array(2 * output.length);
    referenceDepthwise({ ...rest, input: fromHalves(input), residual: fromHalves(residual) }, u, sums);
    writeHalves(boundedHalves(sums), output);
  },
  wgsl: /* wgsl */ `${uniformsText()}
    @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quadsIn, halves
    @group(0) @binding(1) var<storage, read> weights: array<vec4f>;      // kernelHeight × kernelWidth × quadsOut
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
    @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
    @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
    @group(0) @binding(5) var<uniform> u: Uniforms;

    // Four halves as numbers.
    fn opened(quad: vec2u) -> vec4f {
      return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.pixels * u.quadsOut) { return; }
      let quad = index % u.quadsOut;
      let pixel = index / u.quadsOut;
      let row = (pixel / u.columns) % u.rows;
      let image = pixel / (u.columns * u.rows);
      var sum = bias[quad] + opened(residual[pixel * u.residualStep + quad]);
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || u32(y) % u.spreadY != 0u || u32(y) / u.spreadY >= u.height) { continue; }
        let first = (image * u.height + u32(y) / u.spreadY) * u.width;
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(pixel % u.columns * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x < 0 || u32(x) % u.spreadX != 0u || u32(x) / u.spreadX >= u.width) { continue; }
          let value = opened(input[(first + u32(x) / u.spreadX) * u.quadsIn + quad]);
          sum = fma(value, weights[(ky * u.kernelWidth + kx) * u.quadsOut + quad], sum);
        }
      }
      let bounded = clamp(select(sum, max(sum, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
      output[index] = vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
    }`,
  samples: (random) => [
    [
      {
        input: toHalves(uniformTensor(random, [2, 7, 6, 16])),
        weights: uniformTensor(random, [9, 16]),
        bias: uniformTensor(random, [16]),
        residual: toHalves(uniformTensor(random, [2, 4, 3, 16])),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true },
    ],
  ],
};
