import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { maxPool, samplePools } from './max-pool.ts';
import { oneHotKernels, tracePatches } from './patches.ts';
import {
  joinChannels,
  type PoolingUniform,
  planPooling,
  planPoolingBack,
  poolingUniforms,
  splitChannels,
} from './pooling.ts';
import { requireSame } from './shapes.ts';
import { type PoolOptions, spreadAttributes } from './window.ts';

/**
 * The gradient of `maxPool`: what arrives at a window goes to its first maximum in row-major order.
 *
 *     gradient N×C×h×w, input N×C×H×W, output N×C×h×w (the pool's own)  →  N×C×H×W
 *
 * Where windows overlap the shares add up. Equal maxima do not share: the first one takes all, as in PyTorch.
 *
 * @throws ShapeError when gradient or output have not the shape that the pool gives
 * @throws RangeError as `maxPool` does
 */
export const maxPoolBackward: Kernel<'gradient' | 'input' | 'output', PoolingUniform, PoolOptions> = {
  name: 'maxPoolBackward',
  inputs: ['gradient', 'input', 'output'],
  uniforms: poolingUniforms,
  plan({ gradient, input, output }, options) {
    const plan = planPooling('maxPoolBackward', input, options);
    requireSame('maxPoolBackward', 'a gradient', plan.output, gradient);
    requireSame('maxPoolBackward', 'an output', plan.output, output);
    return planPoolingBack(plan, input);
  },
  rows: () => ['gradient', 'input', 'output'],
  reference({ gradient, input, output: pooled }, u, output) {
    output.fill(0);
    for (let index = 0; index < gradient.length; index++) {
      const winner = firstMaximum(index, input, pooled[index], u);
      if (winner >= 0) output[winner] += gradient[index];
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
    @group(0) @binding(0) var<storage, read> gradient: array<f32>;      // N × C × rows × columns
    @group(0) @binding(1) var<storage, read> input: array<f32>;         // N × C × height × width
    @group(0) @binding(2) var<storage, read> pooled: array<f32>;        // N × C × rows × columns
    @group(0) @binding(3) var<storage, read_write> output: array<f32>;  // N × C × height × width
    @group(0) @binding(4) var<uniform> u: Uniforms;

    // The place in the plane of the first pixel of a window that holds its maximum, or -1.
    fn firstMaximum(plane: u32, row: u32, column: u32, largest: f32) -> i32 {
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let y = i32(row * u.strideY + ky * u.dilationY) - i32(u.padTop);
        if (y < 0 || y >= i32(u.height)) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let x = i32(column * u.strideX + kx * u.dilationX) - i32(u.padLeft);
          if (x < 0 || x >= i32(u.width)) { continue; }
          let place = y * i32(u.width) + x;
          if (input[plane * u.height * u.width + u32(place)] >= largest) { return place; }
        }
      }
      return -1;
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let place = index % (u.width * u.height);
      let plane = index / (u.width * u.height);
      let y = place / u.width;
      let x = place % u.width;
      var sum = 0.0;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        let top = i32(y + u.padTop) - i32(ky * u.dilationY);
        if (top < 0 || u32(top) % u.strideY != 0u || u32(top) / u.strideY >= u.rows) { continue; }
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let start = i32(x + u.padLeft) - i32(kx * u.dilationX);
          if (start < 0 || u32(start) % u.strideX != 0u || u32(start) / u.strideX >= u.columns) { continue; }
          let row = u32(top) / u.strideY;
          let column = u32(start) / u.strideX;
          let window = (plane * u.rows + row) * u.columns + column;
          if (firstMaximum(plane, row, column, pooled[window]) == i32(place)) { sum += gradient[window]; }
        }
      }
      output[index] = sum;
    }`,
  onnx(trace, { inputs, shapes, options }) {
    const patches = tracePatches(trace, inputs.input, shapes.input, options);
    const pooled = splitChannels(trace, inputs.output, shapes.output);
    const gradient = splitChannels(trace, inputs.gradient, shapes.gradient);
    const shares = trace.node('Mul', [firstMaxima(trace, patches, pooled, options), gradient]);
    const attributes = spreadAttributes(
      [shapes.gradient[2], shapes.gradient[3]],
      [shapes.input[2], shapes.input[3]],
      options,
    );
    const spread = trace.node('ConvTranspose', [shares, oneHotKernels(trace, options)], attributes);
    return joinChannels(trace, spread, shapes.input);
  },
  samples: (random) =>
    samplePools(random).map(([{ input }, options]) => {
      const plan = maxPool.plan({ input: input.shape }, options);
      const pooled = new Float32Array(sizeOf(plan.output));
      maxPool.reference({ input: input.data }, plan.uniforms, pooled);
      const gradient = uniformTensor(random, plan.output);
      return [{ gradient, input, output: { data: pooled, shape: plan.output } }, options];
    }),
};

/** 1 in the channel of each window's first maximum, else 0. */
function firstMaxima(trace: OnnxTrace, patches: string, pooled: string, { kernel }: PoolOptions): string {
  const one = trace.floats([1], []);
  const isMaximum = trace.node('Sub', [one, trace.greater(pooled, patches)]);
  const places = kernel[0] * kernel[1];
  const before = new Float32Array(places * places).map((_, index) =>
    index % places < Math.floor(index / places) ? 1 : 0,
  );
  const maximaBefore = trace.node('Conv', [isMaximum, trace.floats(before, [places, places, 1, 1])]);
  return trace.node('Mul', [isMaximum, trace.node('Relu', [trace.node('Sub', [one, maximaBefore])])]);
}

/** Index of the pixel that gave a window its maximum, or −1. */
function firstMaximum(
  index: number,
  input: Float32Array,
  largest: number,
  u: { readonly [name in PoolingUniform]: number },
): number {
  const column = index % u.columns;
  const row = Math.floor(index / u.columns) % u.rows;
  const plane = Math.floor(index / (u.columns * u.rows)) * u.height * u.width;
  for (let ky = 0; ky < u.kernelHeight; ky++) {
    for (let kx = 0; kx < u.kernelWidth; kx++) {
      const y = row * u.strideY + ky * u.dilationY - u.padTop;
      const x = column * u.strideX + kx * u.dilationX - u.padLeft;
      if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
      const place = plane + y * u.width + x;
      if (input[place] >= largest) return place;
    }
  }
  return -1;
}
