import type { Kernel } from '../kernel.ts';
import { averagePool } from '../kernels/average-pool.ts';
import {
  type AveragePoolOptions,
  type AveragingUniform,
  averagingUniforms,
  placesCounted,
  planAveraging,
} from '../kernels/averaging.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { FIRST, LAST, requireLast } from './layout.ts';

/**
 * `averagePool` with channels last: the mean of each window.
 *
 *     N×H×W×C₄  →  N×h×w×C₄
 *
 * @throws ShapeError when the input is not laid out channels last or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride is not a positive integer
 */
export const averagePoolLast: Kernel<'input', AveragingUniform | 'quads', AveragePoolOptions> = {
  name: 'averagePoolLast',
  inputs: ['input'],
  uniforms: { ...averagingUniforms, quads: 'u32' },
  plan({ input }, options) {
    requireLast('averagePoolLast', 'an input', input);
    const [batch, height, width, channels] = input;
    const plan = planAveraging('averagePoolLast', [batch, channels, height, width], options);
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
    const channels = 4 * u.quads;
    for (let index = 0; index < 4 * u.count; index++) {
      const pixel = Math.floor(index / channels);
      const column = pixel % u.columns;
      const row = Math.floor(pixel / u.columns) % u.rows;
      const image = Math.floor(pixel / (u.columns * u.rows));
      let sum = 0;
      for (let place = 0; place < u.kernelHeight * u.kernelWidth; place++) {
        const y = row * u.strideY + Math.floor(place / u.kernelWidth) - u.padTop;
        const x = column * u.strideX + (place % u.kernelWidth) - u.padLeft;
        if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
        sum += input[((image * u.height + y) * u.width + x) * channels + (index % channels)];
      }
      output[index] = sum / placesCounted(row, column, u);
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                                                        // N × rows × columns × quads
      height: u32, width: u32, rows: u32, columns: u32,
      kernelHeight: u32, kernelWidth: u32,
      strideY: u32, strideX: u32,
      padTop: u32, padLeft: u32,
      countedTop: u32, countedLeft: u32, countedHeight: u32, countedWidth: u32, // the area that counts
      quads: u32,
    }
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quads
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>; // N × rows × columns × quads
    @group(0) @binding(2) var<uniform> u: Uniforms;

    // Places of a window inside the counted area, along one axis.
    fn placesCounted(start: i32, kernel: u32, length: u32) -> i32 {
      return min(start + i32(kernel), i32(length)) - max(start, 0);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let pixel = index / u.quads;
      let image = pixel / (u.columns * u.rows);
      let top = i32((pixel / u.columns) % u.rows * u.strideY) - i32(u.padTop);
      let left = i32(pixel % u.columns * u.strideX) - i32(u.padLeft);
      var sum = vec4f();
      for (var y = max(top, 0); y < min(top + i32(u.kernelHeight), i32(u.height)); y++) {
        for (var x = max(left, 0); x < min(left + i32(u.kernelWidth), i32(u.width)); x++) {
          sum += input[((image * u.height + u32(y)) * u.width + u32(x)) * u.quads + index % u.quads];
        }
      }
      let places = placesCounted(top + i32(u.countedTop), u.kernelHeight, u.countedHeight)
        * placesCounted(left + i32(u.countedLeft), u.kernelWidth, u.countedWidth);
      output[index] = sum / f32(places);
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
    return trace.node('Transpose', [averagePool.onnx!(trace, call)], LAST); // averagePool has an ONNX form
  },
  samples: (random) => {
    const input = uniformTensor(random, [2, 9, 7, 8]);
    const window = { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] } as const;
    return [
      [{ input }, { ...window, ceilMode: false, countIncludePad: true }],
      [{ input }, { ...window, ceilMode: true, countIncludePad: false }],
    ];
  },
};
