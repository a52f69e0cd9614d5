import type { Kernel } from '../kernel.ts';
import { maxPool } from '../kernels/max-pool.ts';
import { lowest } from '../kernels/patches.ts';
import { type PoolingUniform, planPooling, poolingUniforms } from '../kernels/pooling.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import type { PoolOptions } from '../kernels/window.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { FIRST, LAST, requireLast } from './layout.ts';

/**
 * `maxPool` with channels last: the maximum of each window; what lies outside the image does not count.
 *
 *     N×H×W×C₄  →  N×h×w×C₄
 *
 * @throws ShapeError when the input is not laid out channels last or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride or dilation is not a positive integer
 */
export const maxPoolLast: Kernel<'input', PoolingUniform | 'quads', PoolOptions> = {
  name: 'maxPoolLast',
  inputs: ['input'],
  uniforms: { ...poolingUniforms, quads: 'u32' },
  plan({ input }, options) {
    requireLast('maxPoolLast', 'an input', input);
    const [batch, height, width, channels] = input;
    const plan = planPooling('maxPoolLast', [batch, channels, height, width], options);
    const [, , rows, columns] = plan.output;
    const output = [batch, rows, columns, channels];
    const count = sizeOf(output) / 4;
    return {
      output,
      uniforms: { ...plan.uniforms, count, quads: channels / 4 },
      workgroups: workgroupsFor(count),
    };
  },
  rows: () => ['input'],
  reference({ input }, u, output) {
    for (let index = 0; index < 4 * u.count; index++) {
      const channels = 4 * u.quads;
      const pixel = Math.floor(index / channels);
      const column = pixel % u.columns;
      const row = Math.floor(pixel / u.columns) % u.rows;
      const image = Math.floor(pixel / (u.columns * u.rows));
      let largest = lowest;
      for (let ky = 0; ky < u.kernelHeight; ky++) {
        for (let kx = 0; kx < u.kernelWidth; kx++) {
          const y = row * u.strideY + ky * u.dilationY - u.padTop;
          const x = column * u.strideX + kx * u.dilationX - u.padLeft;
          if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
          largest = Math.max(largest, input[((image * u.height + y) * u.width + x) * channels + (index % channels)]);
        }
      }
      output[index] = largest;
    }
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
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quads
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>; // N × rows × columns × quads
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let pixel = index / u.quads;
      let column = pixel % u.columns;
      let row = (pixel / u.columns) % u.rows;
      let image = pixel / (u.columns * u.rows);
      var largest = vec4f(-3.4e38);
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || y >= i32(u.height)) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(column * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x < 0 || x >= i32(u.width)) { continue; }
          largest = max(largest, input[((image * u.height + u32(y)) * u.width + u32(x)) * u.quads + index % u.quads]);
        }
      }
      output[index] = largest;
    }`,
  onnx(trace, { inputs, shapes, output, options }) {
    const [batch, height, width, channels] = shapes.input;
    const input = trace.node('Transpose', [inputs.input], FIRST);
    const call = {
      inputs: { input },
      shapes: { input: [batch, channels, height, width] },
      output: [output[0], output[3], output[1], output[2]],
      options,
    };
    return trace.node('Transpose', [maxPool.onnx!(trace, call)], LAST); // maxPool has an ONNX form
  },
  samples: (random) => [
    [
      { input: uniformTensor(random, [2, 9, 7, 8]) },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], ceilMode: false },
    ],
    [
      { input: uniformTensor(random, [3, 6, 8, 4]) },
      { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 2], dilations: [2, 1], ceilMode: true },
    ],
  ],
};
