import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { tensor } from '../tensor.ts';
import { requireSame, workgroupsFor } from './shapes.ts';
import { variantAxes } from './variants.ts';

/**
 * Variants of an image in which more and more regions have been replaced.
 *
 *     image 1×C×H×W, fill 1×C×H×W, ranks 1×H×W, steps n×1  →  n×C×H×W
 *
 * `ranks` says at which step a pixel is replaced: 1 for the pixels of the first region, 2 for the second, and so on, 0 for
 * pixels that stay. Variant i has the value of `fill` wherever 0 < rank ≤ steps[i], in every channel, and the image's own
 * elsewhere, so step 0 is the image itself. `fill` holds what a pixel becomes, in the units of the image: one number for
 * the baseline "black", another for each region where the baseline is taken anew at every step, a whole image for insertion.
 *
 * @throws ShapeError when the image is not one image, or fill, ranks or steps do not fit
 * @source spec 2.1, step 6
 */
export const fillRegions: Kernel<'image' | 'fill' | 'ranks' | 'steps', 'count' | 'channels' | 'pixels'> = {
  name: 'fillRegions',
  inputs: ['image', 'fill', 'ranks', 'steps'],
  uniforms: { count: 'u32', channels: 'u32', pixels: 'u32' },
  plan({ image, fill, ranks, steps }) {
    const rows = { what: 'steps', shape: steps, columns: 1 };
    const { variants, channels, height, width } = variantAxes('fillRegions', { image, fill }, rows);
    requireSame('fillRegions', 'ranks', [1, height, width], ranks);
    const pixels = height * width;
    const count = variants * channels * pixels;
    const output = [variants, channels, height, width];
    return { output, uniforms: { count, channels, pixels }, workgroups: workgroupsFor(count) };
  },
  rows: () => ['steps'],
  reference({ image, fill, ranks, steps }, { count, channels, pixels }, output) {
    for (let index = 0; index < count; index++) {
      const variant = Math.floor(index / (channels * pixels));
      const feature = index % (channels * pixels);
      const rank = ranks[index % pixels];
      output[index] = rank > 0 && rank <= steps[variant] ? fill[feature] : image[feature];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> image: array<f32>;         // channels × pixels
    @group(0) @binding(1) var<storage, read> fill: array<f32>;          // channels × pixels
    @group(0) @binding(2) var<storage, read> ranks: array<f32>;         // pixels
    @group(0) @binding(3) var<storage, read> steps: array<f32>;         // variants
    @group(0) @binding(4) var<storage, read_write> output: array<f32>;  // variants × channels × pixels
    @group(0) @binding(5) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let variant = index / (u.channels * u.pixels);
      let feature = index % (u.channels * u.pixels);
      let rank = ranks[index % u.pixels];
      output[index] = select(image[feature], fill[feature], rank > 0.0 && rank <= steps[variant]);
    }`,
  onnx(trace, { inputs, shapes }) {
    const [, , height, width] = shapes.image;
    const ranks = trace.reshape(inputs.ranks, [1, 1, height, width]);
    const later = trace.node('Greater', [ranks, trace.reshape(inputs.steps, [0, 1, 1, 1])]);
    const replaced = trace.node('Greater', [ranks, trace.floats([0], [])]);
    const filled = trace.node('And', [replaced, trace.node('Not', [later])]);
    return trace.choose(filled, inputs.fill, inputs.image);
  },
  samples: (random) => [
    [
      {
        image: uniformTensor(random, [1, 3, 4, 7], -2, 2),
        fill: uniformTensor(random, [1, 3, 4, 7], 3, 5),
        ranks: tensor(
          Array.from({ length: 28 }, () => random.interval(6)),
          [1, 4, 7],
        ),
        steps: tensor([0, 6, 3, 1, 5], [5, 1]),
      },
      undefined,
    ],
  ],
};
