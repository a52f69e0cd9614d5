import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { interpolationMatrix, neighbours, type ResizeConvention, sampleBilinear } from './bilinear.ts';
import { show, workgroupsFor } from './shapes.ts';
import type { Pair } from './window.ts';

export interface UpsampleOptions {
  /** Height and width of the result; larger or smaller than the input's. */
  readonly size: Pair;
  readonly convention: ResizeConvention;
}

/**
 * Bilinear resizing of the last two axes, without antialiasing.
 *
 *     …×h×w  →  …×H×W
 *
 * @throws ShapeError when the input has fewer than two axes
 * @throws RangeError when the size is not made of positive integers
 * @source spec 0.3
 */
export const upsampleBilinear: Kernel<
  'input',
  'count' | 'height' | 'width' | 'outHeight' | 'outWidth' | 'cornerAligned',
  UpsampleOptions
> = {
  name: 'upsampleBilinear',
  inputs: ['input'],
  uniforms: { count: 'u32', height: 'u32', width: 'u32', outHeight: 'u32', outWidth: 'u32', cornerAligned: 'u32' },
  plan({ input }, { size, convention }) {
    if (input.length < 2) throw new ShapeError('upsampleBilinear', 'maps of shape …×height×width', show(input));
    requireSize('upsampleBilinear', size);
    const output = [...input.slice(0, -2), ...size];
    const [height, width] = input.slice(-2);
    const cornerAligned = Number(convention === 'corner-aligned');
    return {
      output,
      uniforms: { count: sizeOf(output), height, width, outHeight: size[0], outWidth: size[1], cornerAligned },
      workgroups: workgroupsFor(sizeOf(output)),
    };
  },
  rows: ({ input }) => (input.length > 2 ? ['input'] : []),
  reference({ input }, { count, height, width, outHeight, outWidth, cornerAligned }, output) {
    const convention = cornerAligned ? 'corner-aligned' : 'half-pixel';
    const across = Array.from({ length: outWidth }, (_, x) => neighbours(x, width, outWidth, convention));
    for (let row = 0; row < count / outWidth; row++) {
      const offset = Math.floor(row / outHeight) * height * width;
      const vertical = neighbours(row % outHeight, height, outHeight, convention);
      for (let x = 0; x < outWidth; x++) {
        output[row * outWidth + x] = sampleBilinear(input, offset, vertical, across[x], width);
      }
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,
      height: u32, width: u32,
      outHeight: u32, outWidth: u32,
      cornerAligned: u32,                                               // 1: corner pixels coincide, 0: areas do
    }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // maps × height × width
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // maps × outHeight × outWidth
    @group(0) @binding(2) var<uniform> u: Uniforms;

    // Position in the original, along one axis.
    fn positionOf(index: u32, length: u32, outLength: u32) -> f32 {
      if (u.cornerAligned == 1u) { return f32(index * (length - 1u)) / f32(max(outLength - 1u, 1u)); }
      return max((f32(index) + 0.5) * f32(length) / f32(outLength) - 0.5, 0.0);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let y = positionOf((index / u.outWidth) % u.outHeight, u.height, u.outHeight);
      let x = positionOf(index % u.outWidth, u.width, u.outWidth);
      let top = min(u32(y), u.height - 1u);
      let left = min(u32(x), u.width - 1u);
      let bottom = min(top + 1u, u.height - 1u);
      let right = min(left + 1u, u.width - 1u);
      let map = index / (u.outHeight * u.outWidth) * u.height * u.width;
      let upper = mix(input[map + top * u.width + left], input[map + top * u.width + right], x - f32(left));
      let lower = mix(input[map + bottom * u.width + left], input[map + bottom * u.width + right], x - f32(left));
      output[index] = mix(upper, lower, y - f32(top));
    }`,
  onnx: (trace, { inputs, shapes, options }) => traceResize(trace, inputs.input, shapes.input, options),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { size: [7, 9], convention: 'half-pixel' }],
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, { size: [7, 9], convention: 'corner-aligned' }],
    [{ input: uniformTensor(random, [3, 7, 6]) }, { size: [4, 2], convention: 'half-pixel' }],
    [{ input: uniformTensor(random, [3, 7, 6]) }, { size: [28, 24], convention: 'half-pixel' }],
  ],
};

/** Resizing as two matrix products, columns first, for there the result is one large product. */
export function traceResize(
  trace: OnnxTrace,
  input: string,
  shape: Shape,
  { size, convention }: UpsampleOptions,
): string {
  const [height, width] = shape.slice(-2);
  const rows = interpolationMatrix(height, size[0], convention);
  const columns = interpolationMatrix(width, size[1], convention);
  const across = new Float32Array(width * size[1]);
  for (let index = 0; index < across.length; index++) {
    across[index] = columns.data[(index % size[1]) * width + Math.floor(index / size[1])]; // transposed
  }
  const widened = trace.node('MatMul', [input, trace.floats(across, [width, size[1]])]);
  return trace.node('MatMul', [trace.floats(rows.data, rows.shape), widened]);
}

function requireSize(where: string, size: Pair): void {
  if (size.every((length) => Number.isInteger(length) && length > 0)) return;
  throw new RangeError(`${where} expected a size of positive integers, got ${size.join('×')}.`);
}
