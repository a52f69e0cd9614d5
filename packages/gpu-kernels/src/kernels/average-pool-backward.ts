import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { sampleAverages } from './average-pool.ts';
import {
  type AveragePoolOptions,
  type AveragingUniform,
  averagingUniforms,
  isGlobal,
  perWindow,
  placesCounted,
  planAveraging,
  windowOf,
} from './averaging.ts';
import { joinChannels, splitChannels } from './pooling.ts';
import { requireSame, workgroupsFor } from './shapes.ts';
import { type Pair, spreadAttributes } from './window.ts';

/** The options of the pool that is gone back through, and the height and width of its image. */
export interface AveragePoolBackwardOptions extends AveragePoolOptions {
  readonly inputSize: Pair;
}

/**
 * The gradient of `averagePool`: what arrives at a window is shared equally by the pixels that it averaged.
 *
 *     gradient N×C×h×w  →  N×C×H×W
 *
 * @throws ShapeError when an image of `inputSize` would not give windows of the gradient's shape
 * @throws RangeError as `averagePool` does
 */
export const averagePoolBackward: Kernel<'gradient', AveragingUniform, AveragePoolBackwardOptions> = {
  name: 'averagePoolBackward',
  inputs: ['gradient'],
  uniforms: averagingUniforms,
  plan({ gradient }, options) {
    if (gradient.length !== 4) {
      throw new ShapeError(
        'averagePoolBackward',
        'a gradient of shape batch×channels×rows×columns',
        `[${gradient.join(', ')}]`,
      );
    }
    const image = [gradient[0], gradient[1], ...options.inputSize];
    const plan = planAveraging('averagePoolBackward', image, options);
    requireSame('averagePoolBackward', 'a gradient', plan.output, gradient);
    const count = image.reduce((product, length) => product * length, 1);
    return { output: image, uniforms: { ...plan.uniforms, count }, workgroups: workgroupsFor(count) };
  },
  rows: () => ['gradient'],
  reference({ gradient }, u, output) {
    output.fill(0);
    for (let index = 0; index < gradient.length; index++) {
      const column = index % u.columns;
      const row = Math.floor(index / u.columns) % u.rows;
      const plane = Math.floor(index / (u.columns * u.rows)) * u.height * u.width;
      const share = gradient[index] / placesCounted(row, column, u);
      for (let ky = 0; ky < u.kernelHeight; ky++) {
        for (let kx = 0; kx < u.kernelWidth; kx++) {
          const y = row * u.strideY + ky - u.padTop;
          const x = column * u.strideX + kx - u.padLeft;
          if (y >= 0 && y < u.height && x >= 0 && x < u.width) output[plane + y * u.width + x] += share;
        }
      }
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
    @group(0) @binding(0) var<storage, read> gradient: array<f32>;      // N × C × rows × columns
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × C × height × width
    @group(0) @binding(2) var<uniform> u: Uniforms;

    // Places of a window inside the counted area, along one axis.
    fn placesCounted(start: i32, kernel: u32, length: u32) -> i32 {
      return min(start + i32(kernel), i32(length)) - max(start, 0);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let x = index % u.width;
      let y = (index / u.width) % u.height;
      let plane = index / (u.width * u.height);
      var sum = 0.0;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let top = i32(y + u.padTop) - i32(ky);
        if (top < 0 || u32(top) % u.strideY != 0u || u32(top) / u.strideY >= u.rows) { continue; }
        let vertical = placesCounted(top - i32(u.padTop) + i32(u.countedTop), u.kernelHeight, u.countedHeight);
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let start = i32(x + u.padLeft) - i32(kx);
          if (start < 0 || u32(start) % u.strideX != 0u || u32(start) / u.strideX >= u.columns) { continue; }
          let places = vertical
            * placesCounted(start - i32(u.padLeft) + i32(u.countedLeft), u.kernelWidth, u.countedWidth);
          let window = (plane * u.rows + u32(top) / u.strideY) * u.columns + u32(start) / u.strideX;
          sum += gradient[window] / f32(places);
        }
      }
      output[index] = sum;
    }`,
  onnx(trace, { inputs, shapes, output, options }) {
    const { uniforms: u } = planAveraging('averagePoolBackward', output, options);
    if (isGlobal(output, options)) {
      const share = new Float32Array(u.height * u.width).fill(1 / (u.height * u.width));
      return trace.node('Mul', [inputs.gradient, trace.floats(share, [1, 1, u.height, u.width])]);
    }
    const shares = perWindow(u, (row, column) => 1 / placesCounted(row, column, u));
    const divided = trace.node('Mul', [inputs.gradient, trace.floats(shares, [1, 1, u.rows, u.columns])]);
    const images = splitChannels(trace, divided, shapes.gradient);
    const ones = trace.floats(new Float32Array(u.kernelHeight * u.kernelWidth).fill(1), [1, 1, ...options.kernel]);
    const attributes = spreadAttributes([u.rows, u.columns], options.inputSize, windowOf(options));
    return joinChannels(trace, trace.node('ConvTranspose', [images, ones], attributes), output);
  },
  samples: (random) =>
    sampleAverages(random).map(([{ input }, options]) => {
      const { output } = planAveraging('averagePoolBackward', input.shape, options);
      const inputSize: Pair = [input.shape[2], input.shape[3]];
      return [{ gradient: uniformTensor(random, output) }, { ...options, inputSize }];
    }),
};
