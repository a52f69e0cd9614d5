import { maxPoolLast } from '../channels-last/max-pool-last.ts';
import type { Kernel } from '../kernel.ts';
import { type PoolingUniform, poolingUniforms } from '../kernels/pooling.ts';
import type { PoolOptions } from '../kernels/window.ts';
import { uniformTensor } from '../random.ts';
import { doubledShape, fromHalves, halvedShape, requireHalves, toHalves, writeHalves } from './half.ts';

/**
 * `maxPoolLast` in half precision.
 *
 *     N×H×W×C₄/2 words  →  N×h×w×C₄/2 words
 *
 * @throws ShapeError when the input is not laid out channels last or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride or dilation is not a positive integer
 */
export const maxPoolHalf: Kernel<'input', PoolingUniform | 'quads', PoolOptions> = {
  name: 'maxPoolHalf',
  inputs: ['input'],
  halves: ['input', 'output'],
  uniforms: { ...poolingUniforms, quads: 'u32' },
  plan({ input }, options) {
    requireHalves('maxPoolHalf', 'an input', input);
    const plan = maxPoolLast.plan({ input: doubledShape(input) }, options);
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: () => ['input'],
  reference({ input }, u, output) {
    const numbers = new Float32Array(2 * output.length);
    maxPoolLast.reference({ input: fromHalves(input) }, u, numbers);
    writeHalves(numbers, output);
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                        // N × rows × columns × quads
      height: u32, width: u32, rows: u32, columns: u32,
      kernelHeight: u32, kernelWidth: u32,
      strideY: u32, strideX: u32,
      padTop: u32, padLeft: u32,
      dilationY: u32, dilationX: u32,
      quads: u32,
    }
    @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quads
    @group(0) @binding(1) var<storage, read_write> output: array<vec2u>; // N × rows × columns × quads
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let pixel = index / u.quads;
      let column = pixel % u.columns;
      let row = (pixel / u.columns) % u.rows;
      let image = pixel / (u.columns * u.rows);
      var largest = vec4f(-65504.0); // the lowest half
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || y >= i32(u.height)) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(column * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x < 0 || x >= i32(u.width)) { continue; }
          let quad = input[((image * u.height + u32(y)) * u.width + u32(x)) * u.quads + index % u.quads];
          largest = max(largest, vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y)));
        }
      }
      output[index] = vec2u(pack2x16float(largest.xy), pack2x16float(largest.zw));
    }`,
  samples: (random) => [
    [
      { input: toHalves(uniformTensor(random, [2, 9, 7, 8])) },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], ceilMode: false },
    ],
  ],
};
