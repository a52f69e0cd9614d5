import {
  type Conv2dLast,
  conv2dLastUniforms,
  planConv2dLast,
  referenceConv2dLast,
  rowsOfConv2dLast,
  sampleConv2dLast,
} from './conv2d-last-plan.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';
import { placeText, uniformsText } from './conv2d-text.ts';

/**
 * The same as `conv2dLast` without workgroup memory and barriers: each invocation computes four pixels of eight channels. A
 * software adapter pays dearly for barriers and is several times faster with this one.
 *
 * @throws ShapeError when the tensors do not fit each other or no window fits
 */
export const conv2dLastDirect: Conv2dLast = {
  name: 'conv2dLastDirect',
  inputs: ['input', 'weights', 'bias', 'residual'],
  uniforms: conv2dLastUniforms,
  plan: (shapes, options) =>
    planConv2dLast('conv2dLastDirect', shapes, options, {
      workgroups: ({ pixels, quadsOut }) => Math.ceil((Math.ceil(pixels / 4) * Math.ceil(quadsOut / 2)) / 64),
    }),
  rows: rowsOfConv2dLast,
  reference: referenceConv2dLast,
  wgsl: /* wgsl */ `${uniformsText()}
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quadsIn
    @group(0) @binding(1) var<storage, read> weights: array<vec4f>;      // (kernelHeight · kernelWidth · 4·quadsIn) × quadsOut
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
    @group(0) @binding(3) var<storage, read> residual: array<vec4f>;     // pixels × quadsOut, or quadsOut
    @group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // pixels × quadsOut
    @group(0) @binding(5) var<uniform> u: Uniforms;
${placeText}

    // First quad of the pixel that the window reads at (ky, kx), or -1 where it reads none.
    fn positionAt(place: Place, ky: u32, kx: u32) -> i32 {
      var y = place.y + i32(ky * u.dilationY);
      var x = place.x + i32(kx * u.dilationX);
      if (y < 0 || x < 0 || u32(y) % u.spreadY != 0u || u32(x) % u.spreadX != 0u) { return -1; }
      y /= i32(u.spreadY);
      x /= i32(u.spreadX);
      if (y >= i32(u.height) || x >= i32(u.width)) { return -1; }
      return i32((place.base + u32(y) * u.width + u32(x)) * u.quadsIn);
    }

    fn quadAt(position: i32, quad: u32) -> vec4f {
      if (position < 0) { return vec4f(); }
      return input[u32(position) + quad];
    }

    // sum + a · (b0, b1, b2, b3)
    fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
      return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
    }

    fn write(pixel: u32, quad: u32, sum: vec4f) {
      if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
      let value = sum + bias[quad] + residual[pixel * u.residualStep + quad];
      output[pixel * u.quadsOut + quad] = select(value, max(value, vec4f()), u.relu == 1u);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      let pairs = (u.quadsOut + 1u) / 2u;
      if (index >= pairs * ((u.pixels + 3u) / 4u)) { return; }
      let left = (index % pairs) * 2u;
      let right = min(left + 1u, u.quadsOut - 1u); // an odd last quad is computed twice and written once
      let pixel = index / pairs * 4u;
      let place0 = placeOf(pixel);
      let place1 = placeOf(pixel + 1u);
      let place2 = placeOf(pixel + 2u);
      let place3 = placeOf(pixel + 3u);
      var s00 = vec4f(); var s01 = vec4f();
      var s10 = vec4f(); var s11 = vec4f();
      var s20 = vec4f(); var s21 = vec4f();
      var s30 = vec4f(); var s31 = vec4f();
      var row = 0u;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let at0 = positionAt(place0, ky, kx);
          let at1 = positionAt(place1, ky, kx);
          let at2 = positionAt(place2, ky, kx);
          let at3 = positionAt(place3, ky, kx);
          for (var quad = 0u; quad < u.quadsIn; quad++) {
            let l0 = weights[row + left]; let r0 = weights[row + right];
            row += u.quadsOut;
            let l1 = weights[row + left]; let r1 = weights[row + right];
            row += u.quadsOut;
            let l2 = weights[row + left]; let r2 = weights[row + right];
            row += u.quadsOut;
            let l3 = weights[row + left]; let r3 = weights[row + right];
            row += u.quadsOut;
            let a0 = quadAt(at0, quad);
            s00 = added(s00, a0, l0, l1, l2, l3); s01 = added(s01, a0, r0, r1, r2, r3);
            let a1 = quadAt(at1, quad);
            s10 = added(s10, a1, l0, l1, l2, l3); s11 = added(s11, a1, r0, r1, r2, r3);
            let a2 = quadAt(at2, quad);
            s20 = added(s20, a2, l0, l1, l2, l3); s21 = added(s21, a2, r0, r1, r2, r3);
            let a3 = quadAt(at3, quad);
            s30 = added(s30, a3, l0, l1, l2, l3); s31 = added(s31, a3, r0, r1, r2, r3);
          }
        }
      }
      write(pixel, left, s00); write(pixel, left + 1u, s01);
      write(pixel + 1u, left, s10); write(pixel + 1u, left + 1u, s11);
      write(pixel + 2u, left, s20); write(pixel + 2u, left + 1u, s21);
      write(pixel + 3u, left, s30); write(pixel + 3u, left + 1u, s31);
    }`,
  onnx: traceConv2dLast,
  samples: sampleConv2dLast,
};
