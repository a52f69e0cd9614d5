import { averagePoolLast } from '../channels-last/average-pool-last.ts';
import type { Kernel } from '../kernel.ts';
import type { AveragePoolOptions, AveragingUniform } from '../kernels/averaging.ts';
import { uniformTensor } from '../random.ts';
import { doubledShape, fromHalves, HALF_ROUNDING, halvedShape, requireHalves, toHalves, writeHalves } from './half.ts';

/**
 * `averagePoolLast` with halves in memory and sums in float32.
 *
 *     N×H×W×C₄/2 words  →  N×h×w×C₄/2 words
 *
 * @throws ShapeError when the input is not laid out channels last or the window does not fit
 * @throws RangeError when the pads are not smaller than the kernel, or a stride is not a positive integer
 */
export const averagePoolHalf: Kernel<'input', AveragingUniform | 'quads', AveragePoolOptions> = {
  name: 'averagePoolHalf',
  inputs: ['input'],
  halves: ['input', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: averagePoolLast.uniforms,
  plan({ input }, options) {
    requireHalves('averagePoolHalf', 'an input', input);
    const plan = averagePoolLast.plan({ input: doubledShape(input) }, options);
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: () => ['input'],
  reference({ input }, u, output) {
    const means = new Float32Array(2 * output.length);
    averagePoolLast.reference({ input: fromHalves(input) }, u, means);
    writeHalves(means, output);
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
    @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quads, halves
    @group(0) @binding(1) var<storage, read_write> output: array<vec2u>; // N × rows × columns × quads, halves
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
          let quad = input[((image * u.height + u32(y)) * u.width + u32(x)) * u.quads + index % u.quads];
          sum += vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
        }
      }
      let places = placesCounted(top + i32(u.countedTop), u.kernelHeight, u.countedHeight)
        * placesCounted(left + i32(u.countedLeft), u.kernelWidth, u.countedWidth);
      let mean = sum / f32(places);
      output[index] = vec2u(pack2x16float(mean.xy), pack2x16float(mean.zw));
    }`,
  samples: (random) => {
    const input = toHalves(uniformTensor(random, [2, 9, 7, 8]));
    const window = { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] } as const;
    return [
      [{ input }, { ...window, ceilMode: false, countIncludePad: true }],
      [{ input }, { ...window, ceilMode: true, countIncludePad: false }],
    ];
  },
};
