import type { Kernel } from '../kernel.ts';
import { type Random, uniformTensor } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { lowest, tracePatches } from './patches.ts';
import { type PoolingUniform, paddingOf, planPooling, poolingUniforms } from './pooling.ts';
import { type PoolOptions, placeWindows } from './window.ts';

/**
 * The maximum of each window; what lies outside the image does not count.
 *
 *     N×C×H×W  →  N×C×h×w
 *
 * @throws ShapeError when the input has not four axes or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride or dilation is not a positive integer
 * @source ONNX operator MaxPool; with `ceilMode` windows begin in the image or before it, as in PyTorch
 */
export const maxPool: Kernel<'input', PoolingUniform, PoolOptions> = {
  name: 'maxPool',
  inputs: ['input'],
  uniforms: poolingUniforms,
  plan: ({ input }, options) => planPooling('maxPool', input, options),
  rows: () => ['input'],
  reference({ input }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const column = index % u.columns;
      const row = Math.floor(index / u.columns) % u.rows;
      const plane = Math.floor(index / (u.columns * u.rows)) * u.height * u.width;
      let largest = lowest;
      for (let ky = 0; ky < u.kernelHeight; ky++) {
        for (let kx = 0; kx < u.kernelWidth; kx++) {
          const y = row * u.strideY + ky * u.dilationY - u.padTop;
          const x = column * u.strideX + kx * u.dilationX - u.padLeft;
          if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
          largest = Math.max(largest, input[plane + y * u.width + x]);
        }
      }
      output[index] = largest;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,
      height: u32, width: u32, rows: u32, columns: u32,
      kernelHeight: u32, kernelWidth: u32,
      strideY: u32, strideX: u32,
      padTop: u32, padLeft: u32,
      dilationY: u32, dilationX: u32,
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × C × height × width
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × C × rows × columns
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let column = index % u.columns;
      let row = (index / u.columns) % u.rows;
      let plane = index / (u.columns * u.rows) * u.height * u.width;
      var largest = -3.4e38;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || y >= i32(u.height)) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(column * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x >= 0 && x < i32(u.width)) { largest = max(largest, input[plane + u32(y) * u.width + u32(x)]); }
        }
      }
      output[index] = largest;
    }`,
  onnx(trace, { inputs, shapes: { input: shape }, options }) {
    const { kernel, strides, pads, dilations } = options;
    const dilated = dilations[0] > 1 || dilations[1] > 1;
    if (dilated && trace.opset < 10) {
      // MaxPool has no dilation yet
      const largest = trace.reduce('ReduceMax', tracePatches(trace, inputs.input, shape, options), [1]);
      const { size } = placeWindows('maxPool', [shape[2], shape[3]], options);
      return trace.reshape(largest, [-1, shape[1], ...size]);
    }
    const { overhang } = placeWindows('maxPool', [shape[2], shape[3]], options);
    const isExact = overhang[0] === 0 && overhang[1] === 0;
    // padded by hand where windows reach past the padding: what ceil_mode means has changed between opsets
    const padded = isExact ? inputs.input : trace.pad(inputs.input, paddingOf(options, overhang), lowest);
    return trace.node('MaxPool', [padded], {
      kernel_shape: { ints: kernel },
      strides: { ints: strides },
      pads: { ints: isExact ? pads : [0, 0, 0, 0] },
      ...(dilated ? { dilations: { ints: dilations } } : {}),
    });
  },
  samples: (random) => samplePools(random),
};

/** Images and windows to try a pooling on: overlapping, dilated, reaching past the edge, with ties. */
export function samplePools(random: Random): readonly (readonly [{ readonly input: Tensor }, PoolOptions])[] {
  const tied = uniformTensor(random, [2, 3, 9, 8]);
  const image = { input: { shape: tied.shape, data: tied.data.map((value) => Math.max(0, Math.round(value * 2))) } };
  const plain = { input: uniformTensor(random, [2, 3, 6, 8]) };
  const none = [0, 0, 0, 0] as const;
  return [
    [image, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], ceilMode: false }],
    [plain, { kernel: [2, 2], strides: [2, 2], pads: none, dilations: [1, 1], ceilMode: false }],
    [image, { kernel: [3, 2], strides: [2, 3], pads: none, dilations: [1, 1], ceilMode: true }],
    [plain, { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 2], dilations: [2, 1], ceilMode: false }],
  ];
}
