import { type Conv2dLastInput, rowsOfConv2dLast } from '../channels-last/conv2d-last-plan.ts';
import { uniformsText } from '../channels-last/conv2d-text.ts';
import {
  type GroupedOptions,
  type GroupedUniform,
  groupedUniforms,
  groupQuadsText,
  planGrouped,
  referenceGrouped,
} from '../channels-last/grouped-last.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
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
 * `groupedLast` with halves in memory and sums in float32; weights come from `packFiltersHalf`.
 *
 *     input N×H×W×I/2 words, weights (h·w·I/groups)×O/2 words, bias O, residual …×O/2 words or O/2 words
 *       →  N×rows×columns×O/2 words
 *
 * @throws ShapeError when the tensors do not fit each other, no window fits or a group has no whole quads
 */
export const groupedHalf: Kernel<Conv2dLastInput, GroupedUniform, GroupedOptions> = {
  name: 'groupedHalf',
  inputs: ['input', 'weights', 'bias', 'residual'],
  halves: ['input', 'weights', 'residual', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: groupedUniforms,
  plan({ input, weights, bias, residual }, options) {
    requireHalves('groupedHalf', 'an input', input);
    const numbers = {
      input: doubledShape(input),
      weights: doubledShape(weights),
      bias,
      residual: doubledShape(residual),
    };
    const plan = planGrouped('groupedHalf', numbers, options);
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: rowsOfConv2dLast,
  reference({ input, weights, bias, residual }, u, output) {
    const sums = new Float32Array(2 * output.length);
    const numbers = { input: fromHalves(input), weights: fromHalves(weights), bias, residual: fromHalves(residual) };
    referenceGrouped(numbers, u, sums);
    writeHalves(boundedHalves(sums), output);
  },
  wgsl: /* wgsl */ `${uniformsText(groupQuadsText)}
    @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quadsIn, halves
    @group(0) @binding(1) var<storage, read> weights: array<vec2u>;      // (kernelHeight · kernelWidth · 4·groupQuads) × quadsOut, halves
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
    @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
    @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
    @group(0) @binding(5) var<uniform> u: Uniforms;

    // Four halves as numbers.
    fn opened(quad: vec2u) -> vec4f {
      return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
    }

    // First quad of the pixel that the window of an output pixel reads at (ky, kx), or -1 where it reads none.
    fn positionAt(pixel: u32, ky: u32, kx: u32) -> i32 {
      let y = i32((pixel / u.columns) % u.rows * u.strideY + ky * u.dilationY) - i32(u.padTop);
      let x = i32(pixel % u.columns * u.strideX + kx * u.dilationX) - i32(u.padLeft);
      if (pixel >= u.pixels || y < 0 || x < 0 || y >= i32(u.height) || x >= i32(u.width)) { return -1; }
      let image = pixel / (u.columns * u.rows);
      return i32(((image * u.height + u32(y)) * u.width + u32(x)) * u.quadsIn);
    }

    fn quadAt(position: i32, quad: u32) -> vec4f {
      if (position < 0) { return vec4f(); }
      return opened(input[u32(position) + quad]);
    }

    // sum + a · (b0, b1, b2, b3)
    fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
      return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
    }

    fn write(pixel: u32, quad: u32, sum: vec4f) {
      if (pixel >= u.pixels) { return; }
      let value = sum + bias[quad] + opened(residual[pixel * u.residualStep + quad]);
      let bounded = clamp(select(value, max(value, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
      output[pixel * u.quadsOut + quad] = vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.quadsOut * ((u.pixels + 3u) / 4u)) { return; }
      let quad = index % u.quadsOut;
      let pixel = index / u.quadsOut * 4u;
      let first = quad / (u.quadsOut * u.groupQuads / u.quadsIn) * u.groupQuads; // of the quads that the group reads
      var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
      var row = quad;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let at0 = positionAt(pixel, ky, kx); let at1 = positionAt(pixel + 1u, ky, kx);
          let at2 = positionAt(pixel + 2u, ky, kx); let at3 = positionAt(pixel + 3u, ky, kx);
          for (var read = first; read < first + u.groupQuads; read++) {
            let b0 = opened(weights[row]); let b1 = opened(weights[row + u.quadsOut]);
            let b2 = opened(weights[row + 2u * u.quadsOut]); let b3 = opened(weights[row + 3u * u.quadsOut]);
            row += 4u * u.quadsOut;
            s0 = added(s0, quadAt(at0, read), b0, b1, b2, b3);
            s1 = added(s1, quadAt(at1, read), b0, b1, b2, b3);
            s2 = added(s2, quadAt(at2, read), b0, b1, b2, b3);
            s3 = added(s3, quadAt(at3, read), b0, b1, b2, b3);
          }
        }
      }
      write(pixel, quad, s0); write(pixel + 1u, quad, s1);
      write(pixel + 2u, quad, s2); write(pixel + 3u, quad, s3);
    }`,
  samples: (random) => [
    [
      {
        input: toHalves(uniformTensor(random, [2, 7, 6, 16])),
        weights: toHalves(uniformTensor(random, [72, 24])),
        bias: uniformTensor(random, [24]),
        residual: toHalves(uniformTensor(random, [2, 4, 3, 24])),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 2, relu: true },
    ],
  ],
};
