import type { Call, Kernel, Named, Plan } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { neighbours, type ResizeConvention, sampleBilinear } from './bilinear.ts';
import { safeRange, traceMinMax } from './min-max.ts';
import { requireRank, requireSame } from './shapes.ts';
import { traceResize } from './upsample-bilinear.ts';
import type { Pair } from './window.ts';

/** How an activation becomes a mask in [0, 1]. */
export interface MaskOptions {
  readonly resize: ResizeConvention;
  /** Whether min-max sees the resized map or the activation itself. */
  readonly normalise: 'after-resize' | 'before-resize';
  /** Added to max − min in the denominator. */
  readonly epsilon: number;
}

type Uniform =
  | 'variants'
  | 'channels'
  | 'height'
  | 'width'
  | 'mapHeight'
  | 'mapWidth'
  | 'cornerAligned'
  | 'afterResize'
  | 'epsilon';

/**
 * Score-CAM's variants: one image seen through each of n masks.
 *
 *     image 1×C×H×W, activations n×h×w  →  n×C×H×W
 *
 * A mask is the activation, resized to the image and stretched by min-max. A constant activation gives the mask 0, and
 * so does one whose resized map is constant.
 *
 * @throws ShapeError when the image is not one image or the activations are not maps
 * @source spec 1.4, the rows "resize" and "normalise" of the table
 */
export const maskImages: Kernel<'image' | 'activations', Uniform, MaskOptions> = {
  name: 'maskImages',
  inputs: ['image', 'activations'],
  uniforms: {
    variants: 'u32',
    channels: 'u32',
    height: 'u32',
    width: 'u32',
    mapHeight: 'u32',
    mapWidth: 'u32',
    cornerAligned: 'u32',
    afterResize: 'u32',
    epsilon: 'f32',
  },
  plan: (shapes, options) => planMasks('maskImages', shapes, options),
  rows: () => ['activations'],
  reference({ image, activations }, u, output) {
    const pixels = u.height * u.width;
    for (let variant = 0; variant < u.variants; variant++) {
      const size = u.mapHeight * u.mapWidth;
      const mask = maskOf(activations.subarray(variant * size, (variant + 1) * size), u);
      for (let index = 0; index < u.channels * pixels; index++) {
        output[variant * u.channels * pixels + index] = image[index] * mask[index % pixels];
      }
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      variants: u32, channels: u32, height: u32, width: u32,
      mapHeight: u32, mapWidth: u32,
      cornerAligned: u32,                                                // 1: corner pixels coincide, 0: areas do
      afterResize: u32,                                                  // 1: min-max over the resized map
      epsilon: f32,
    }
    @group(0) @binding(0) var<storage, read> image: array<f32>;          // channels × height × width
    @group(0) @binding(1) var<storage, read> activations: array<f32>;    // variants × mapHeight × mapWidth
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;   // variants × channels × height × width
    @group(0) @binding(3) var<uniform> u: Uniforms;

    var<workgroup> least: array<f32, 256>;
    var<workgroup> largest: array<f32, 256>;

    // Positions in the activation along one axis: index · step + offset, and not below 0.
    fn positions(length: u32, outLength: u32) -> vec2f {
      if (u.cornerAligned == 1u) { return vec2f(f32(length - 1u) / f32(max(outLength - 1u, 1u)), 0.0); }
      let step = f32(length) / f32(outLength);
      return vec2f(step, 0.5 * step - 0.5);
    }

    // One pixel of the resized activation that begins at offset map.
    fn resized(map: u32, pixel: u32, rows: vec2f, columns: vec2f) -> f32 {
      let y = max(f32(pixel / u.width) * rows.x + rows.y, 0.0);
      let x = max(f32(pixel % u.width) * columns.x + columns.y, 0.0);
      let top = min(u32(y), u.mapHeight - 1u);
      let left = min(u32(x), u.mapWidth - 1u);
      let upper = map + top * u.mapWidth;
      let lower = map + min(top + 1u, u.mapHeight - 1u) * u.mapWidth;
      let right = min(left + 1u, u.mapWidth - 1u);
      let values = vec4f(activations[upper + left], activations[lower + left], activations[upper + right], activations[lower + right]);
      let sides = mix(values.xy, values.zw, x - f32(left));
      return mix(sides.x, sides.y, y - f32(top));
    }

    // Minimum and maximum of what the lanes of the workgroup bring: of sixteen by sixteen lanes, then of those sixteen by all.
    fn extremes(lane: u32, low: f32, high: f32) -> vec2f {
      workgroupBarrier(); // earlier results have been read
      least[lane] = low;
      largest[lane] = high;
      workgroupBarrier(); // all lanes have written what sixteen of them now read
      if (lane < 16u) {
        for (var other = lane + 16u; other < 256u; other += 16u) {
          least[lane] = min(least[lane], least[other]);
          largest[lane] = max(largest[lane], largest[other]);
        }
      }
      workgroupBarrier(); // sixteen lanes have written what all now read
      var bounds = vec2f(least[0], largest[0]);
      for (var other = 1u; other < 16u; other++) {
        bounds = vec2f(min(bounds.x, least[other]), max(bounds.y, largest[other]));
      }
      return bounds;
    }

    // One workgroup for each variant: extremes first, then every pixel of the variant.
    @compute @workgroup_size(256)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let variant = group.x + group.y * groups.x;
      if (variant >= u.variants) { return; }
      let map = variant * u.mapHeight * u.mapWidth;
      let pixels = u.height * u.width;
      let rows = positions(u.mapHeight, u.height);
      let columns = positions(u.mapWidth, u.width);

      var low = activations[map];
      var high = low;
      for (var place = lane; place < u.mapHeight * u.mapWidth; place += 256u) {
        low = min(low, activations[map + place]);
        high = max(high, activations[map + place]);
      }
      let own = extremes(lane, low, high);
      var bounds = own;
      if (u.afterResize == 1u) {
        low = resized(map, 0u, rows, columns);
        high = low;
        for (var pixel = lane; pixel < pixels; pixel += 256u) {
          let value = resized(map, pixel, rows, columns);
          low = min(low, value);
          high = max(high, value);
        }
        bounds = extremes(lane, low, high);
      }
      // the activation's own extremes are exact: rounding in a resized constant must not be stretched to a mask
      let isConstant = own.x == own.y || bounds.x == bounds.y;
      let scale = select(1.0 / (bounds.y - bounds.x + u.epsilon), 0.0, isConstant);
      for (var pixel = lane; pixel < pixels; pixel += 256u) {
        let mask = (resized(map, pixel, rows, columns) - bounds.x) * scale;
        for (var channel = 0u; channel < u.channels; channel++) {
          output[(variant * u.channels + channel) * pixels + pixel] = image[channel * pixels + pixel] * mask;
        }
      }
    }`,
  onnx(trace, call) {
    const masks = traceMasks(trace, call);
    const [, , height, width] = call.shapes.image;
    return trace.node('Mul', [call.inputs.image, trace.reshape(masks, [0, 1, height, width])]);
  },
  samples: (random) => {
    const activations = uniformTensor(random, [5, 3, 4], -0.5, 1);
    activations.data.fill(0.3, 12, 24); // a constant activation among others
    const inputs = { image: uniformTensor(random, [1, 3, 7, 10], -2, 2), activations };
    return [
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 }],
      [inputs, { resize: 'corner-aligned', normalise: 'after-resize', epsilon: 1e-8 }],
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0.25 }],
      [inputs, { resize: 'half-pixel', normalise: 'before-resize', epsilon: 0.125 }],
    ];
  },
};

/** Fits an image and activations to each other. @throws ShapeError when the image is not one image or the activations are not maps */
export function planMasks(
  where: string,
  { image, activations }: Named<'image' | 'activations', Shape>,
  { resize, normalise, epsilon }: MaskOptions,
): Plan<Uniform> {
  requireRank(where, 'an image', image, '1×channels×height×width');
  requireRank(where, 'activations', activations, 'variants×height×width');
  requireSame(where, 'one image', [1, ...image.slice(1)], image);
  const [, channels, height, width] = image;
  const [variants, mapHeight, mapWidth] = activations;
  const cornerAligned = Number(resize === 'corner-aligned');
  const afterResize = Number(normalise === 'after-resize');
  return {
    output: [variants, channels, height, width],
    uniforms: { variants, channels, height, width, mapHeight, mapWidth, cornerAligned, afterResize, epsilon },
    workgroups: [variants, 1, 1],
  };
}

/** One mask of height×width, in [0, 1]. */
export function maskOf(activation: Float32Array, u: { readonly [name in Uniform]: number }): Float32Array {
  const size: Pair = [u.height, u.width];
  const isConstant = activation.every((value) => value === activation[0]);
  if (isConstant) return new Float32Array(sizeOf(size));
  if (!u.afterResize) return resize(stretch(activation, u.epsilon), u);
  return stretch(resize(activation, u), u.epsilon);
}

function stretch(values: Float32Array, epsilon: number): Float32Array {
  const least = values.reduce((a, b) => Math.min(a, b));
  const range = values.reduce((a, b) => Math.max(a, b)) - least;
  return values.map((value) => (range === 0 ? 0 : (value - least) / (range + epsilon)));
}

function resize(map: Float32Array, u: { readonly [name in Uniform]: number }): Float32Array {
  const convention = u.cornerAligned ? 'corner-aligned' : 'half-pixel';
  return Float32Array.from({ length: u.height * u.width }, (_, pixel) => {
    const vertical = neighbours(Math.floor(pixel / u.width), u.mapHeight, u.height, convention);
    const horizontal = neighbours(pixel % u.width, u.mapWidth, u.width, convention);
    return sampleBilinear(map, 0, vertical, horizontal, u.mapWidth);
  });
}

/** The nodes of n×H×W masks in [0, 1]. */
export function traceMasks(
  trace: OnnxTrace,
  { inputs, shapes, options }: Call<'image' | 'activations', MaskOptions>,
): string {
  const [, , height, width] = shapes.image;
  const target = { size: [height, width] as const, convention: options.resize };
  if (options.normalise === 'before-resize') {
    const stretched = traceMinMax(trace, inputs.activations, shapes.activations, options.epsilon);
    return traceResize(trace, stretched, shapes.activations, target);
  }
  const maps = traceResize(trace, inputs.activations, shapes.activations, target);
  const least = trace.reduce('ReduceMin', maps, [1, 2]);
  const range = trace.node('Sub', [trace.reduce('ReduceMax', maps, [1, 2]), least]);
  // the activation's own range is exact: rounding in a resized constant must not be stretched to a mask
  const ownRange = trace.node('Sub', [
    trace.reduce('ReduceMax', inputs.activations, [1, 2]),
    trace.reduce('ReduceMin', inputs.activations, [1, 2]),
  ]);
  const scale = trace.node('Div', [trace.nonZero(ownRange), safeRange(trace, range, options.epsilon)]);
  return trace.node('Mul', [trace.node('Sub', [maps, least]), scale]);
}
