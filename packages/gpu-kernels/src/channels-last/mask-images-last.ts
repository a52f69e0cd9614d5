import type { Kernel, Named, Plan } from '../kernel.ts';
import { type MaskOptions, maskOf, planMasks, traceMasks } from '../kernels/mask-images.ts';
import { uniformTensor } from '../random.ts';
import type { Shape } from '../tensor.ts';
import { requireLast } from './layout.ts';

/** As those of `maskImages`, with channels in quads. */
export type MaskLastUniform =
  | 'variants'
  | 'quads'
  | 'height'
  | 'width'
  | 'mapHeight'
  | 'mapWidth'
  | 'cornerAligned'
  | 'afterResize'
  | 'epsilon';

/**
 * `maskImages` with channels last, so that what it makes is where a convolution reads it.
 *
 *     image 1×H×W×C₄, activations n×h×w  →  n×H×W×C₄
 *
 * @throws ShapeError when the image is not one image with channels last or the activations are not maps
 */
export const maskImagesLast: Kernel<'image' | 'activations', MaskLastUniform, MaskOptions> = {
  name: 'maskImagesLast',
  inputs: ['image', 'activations'],
  uniforms: {
    variants: 'u32',
    quads: 'u32',
    height: 'u32',
    width: 'u32',
    mapHeight: 'u32',
    mapWidth: 'u32',
    cornerAligned: 'u32',
    afterResize: 'u32',
    epsilon: 'f32',
  },
  plan: (shapes, options) => planMasksLast('maskImagesLast', shapes, options),
  rows: () => ['activations'],
  reference({ image, activations }, u, output) {
    const channels = 4 * u.quads;
    const size = u.mapHeight * u.mapWidth;
    for (let variant = 0; variant < u.variants; variant++) {
      const mask = maskOf(activations.subarray(variant * size, (variant + 1) * size), { ...u, channels });
      for (let index = 0; index < image.length; index++) {
        output[variant * image.length + index] = image[index] * mask[Math.floor(index / channels)];
      }
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      variants: u32, quads: u32, height: u32, width: u32,
      mapHeight: u32, mapWidth: u32,
      cornerAligned: u32,                                                // 1: corner pixels coincide, 0: areas do
      afterResize: u32,                                                  // 1: min-max over the resized map
      epsilon: f32,
    }
    @group(0) @binding(0) var<storage, read> image: array<vec4f>;        // height × width × quads
    @group(0) @binding(1) var<storage, read> activations: array<f32>;    // variants × mapHeight × mapWidth
    @group(0) @binding(2) var<storage, read_write> output: array<vec4f>; // variants × height × width × quads
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
        for (var quad = 0u; quad < u.quads; quad++) {
          output[(variant * pixels + pixel) * u.quads + quad] = image[pixel * u.quads + quad] * mask;
        }
      }
    }`,
  onnx(trace, { inputs, shapes, output, options }) {
    const [batch, height, width, channels] = shapes.image;
    const image = [batch, channels, height, width];
    const masks = traceMasks(trace, { inputs, shapes: { ...shapes, image }, output, options });
    return trace.node('Mul', [inputs.image, trace.reshape(masks, [0, height, width, 1])]);
  },
  samples: (random) => {
    const activations = uniformTensor(random, [5, 3, 4], -0.5, 1);
    activations.data.fill(0.3, 12, 24); // a constant activation among others
    const inputs = { image: uniformTensor(random, [1, 7, 10, 4], -2, 2), activations };
    return [
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 }],
      [inputs, { resize: 'corner-aligned', normalise: 'before-resize', epsilon: 0.125 }],
    ];
  },
};

/** `planMasks` with channels last. */
export function planMasksLast(
  where: string,
  { image, activations }: Named<'image' | 'activations', Shape>,
  options: MaskOptions,
): Plan<MaskLastUniform> {
  requireLast(where, 'an image', image);
  const [batch, height, width, padded] = image;
  const plan = planMasks(where, { image: [batch, padded, height, width], activations }, options);
  const { channels, ...uniforms } = plan.uniforms;
  return { ...plan, output: [activations[0], height, width, padded], uniforms: { ...uniforms, quads: channels / 4 } };
}
