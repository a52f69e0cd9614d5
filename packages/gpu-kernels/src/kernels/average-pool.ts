import type { Call, Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { type Random, uniformTensor } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import {
  type AveragePoolOptions,
  type AveragingUniform,
  averagingUniforms,
  isGlobal,
  overhangOf,
  perWindow,
  placesCounted,
  planAveraging,
} from './averaging.ts';
import { paddingOf } from './pooling.ts';

/**
 * The mean of each window.
 *
 *     N×C×H×W  →  N×C×h×w
 *
 * A kernel as large as the image is global average pooling.
 *
 * @throws ShapeError when the input has not four axes or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride is not a positive integer
 * @source ONNX operator AveragePool; with `ceilMode` windows begin in the image or before it, as in PyTorch
 */
export const averagePool: Kernel<'input', AveragingUniform, AveragePoolOptions> = {
  name: 'averagePool',
  inputs: ['input'],
  uniforms: averagingUniforms,
  plan: ({ input }, options) => planAveraging('averagePool', input, options),
  rows: () => ['input'],
  reference({ input }, u, output) {
    for (let index = 0; index < u.count; index++) {
      const column = index % u.columns;
      const row = Math.floor(index / u.columns) % u.rows;
      const plane = Math.floor(index / (u.columns * u.rows)) * u.height * u.width;
      let sum = 0;
      for (let ky = 0; ky < u.kernelHeight; ky++) {
        for (let kx = 0; kx < u.kernelWidth; kx++) {
          const y = row * u.strideY + ky - u.padTop;
          const x = column * u.strideX + kx - u.padLeft;
          if (y >= 0 && y < u.height && x >= 0 && x < u.width) sum += input[plane + y * u.width + x];
        }
      }
      output[index] = sum / placesCounted(row, column, u);
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,
      height: u32, width: u32, rows: u32, columns: u32,
      kernelHeight: u32, kernelWidth: u32,
      strideY: u32, strideX: u32,
      padTop: u32, padLeft: u32,
      countedTop: u32, countedLeft: u32, countedHeight: u32, countedWidth: u32, // the area that counts
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × C × height × width
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × C × rows × columns
    @group(0) @binding(2) var<uniform> u: Uniforms;

    // Places of a window inside the counted area, along one axis.
    fn placesCounted(start: i32, kernel: u32, length: u32) -> i32 {
      return min(start + i32(kernel), i32(length)) - max(start, 0);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let column = index % u.columns;
      let row = (index / u.columns) % u.rows;
      let plane = index / (u.columns * u.rows) * u.height * u.width;
      let top = i32(row * u.strideY) - i32(u.padTop);
      let left = i32(column * u.strideX) - i32(u.padLeft);
      var sum = 0.0;
      for (var ky = 0; ky < i32(u.kernelHeight); ky++) {
        let y = top + ky;
        if (y < 0 || y >= i32(u.height)) { continue; }
        for (var kx = 0; kx < i32(u.kernelWidth); kx++) {
          let x = left + kx;
          if (x >= 0 && x < i32(u.width)) { sum += input[plane + u32(y) * u.width + u32(x)]; }
        }
      }
      let places = placesCounted(top + i32(u.countedTop), u.kernelHeight, u.countedHeight)
        * placesCounted(left + i32(u.countedLeft), u.kernelWidth, u.countedWidth);
      output[index] = sum / f32(places);
    }`,
  onnx(trace, call) {
    const { inputs, shapes, options } = call;
    if (isGlobal(shapes.input, options)) return trace.node('GlobalAveragePool', [inputs.input]);
    const overhang = overhangOf(shapes.input, options);
    if (overhang[0] > 0 || overhang[1] > 0) return traceOverhanging(trace, call);
    return trace.node('AveragePool', [inputs.input], {
      kernel_shape: { ints: options.kernel },
      strides: { ints: options.strides },
      pads: { ints: options.pads },
      count_include_pad: { int: Number(options.countIncludePad) },
    });
  },
  samples: (random) => sampleAverages(random),
};

/** Images and windows to try an average pooling on: overlapping, padded, reaching past the edge, global. */
export function sampleAverages(random: Random): readonly (readonly [{ readonly input: Tensor }, AveragePoolOptions])[] {
  const none = [0, 0, 0, 0] as const;
  const plain = { input: uniformTensor(random, [2, 3, 6, 8]) };
  const odd = { input: uniformTensor(random, [2, 3, 9, 8]) };
  return [
    [plain, { kernel: [6, 8], strides: [1, 1], pads: none, ceilMode: false, countIncludePad: false }],
    [plain, { kernel: [2, 3], strides: [2, 1], pads: none, ceilMode: false, countIncludePad: false }],
    [odd, { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1], ceilMode: false, countIncludePad: true }],
    [odd, { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1], ceilMode: false, countIncludePad: false }],
    [odd, { kernel: [2, 3], strides: [2, 3], pads: [0, 1, 0, 0], ceilMode: true, countIncludePad: true }],
    [odd, { kernel: [2, 3], strides: [2, 3], pads: [0, 1, 0, 0], ceilMode: true, countIncludePad: false }],
  ];
}

/** Padded by hand, averaged over whole kernels, then corrected: what counts under ceil_mode differs between opsets. */
function traceOverhanging(trace: OnnxTrace, { inputs, shapes, options }: Call<'input', AveragePoolOptions>): string {
  const { uniforms: u } = planAveraging('averagePool', shapes.input, options);
  const padded = trace.pad(inputs.input, paddingOf(options, overhangOf(shapes.input, options)), 0);
  const means = trace.node('AveragePool', [padded], {
    kernel_shape: { ints: options.kernel },
    strides: { ints: options.strides },
  });
  const places = options.kernel[0] * options.kernel[1];
  const correction = perWindow(u, (row, column) => places / placesCounted(row, column, u));
  return trace.node('Mul', [means, trace.floats(correction, [1, 1, u.rows, u.columns])]);
}
