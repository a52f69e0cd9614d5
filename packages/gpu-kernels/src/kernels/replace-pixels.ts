import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf, tensor } from '../tensor.ts';
import { requireSame, workgroupsFor } from './shapes.ts';
import { variantAxes } from './variants.ts';

/**
 * Variants of an image in which a few features each have been replaced. A feature is one number: one channel of one pixel.
 *
 *     image 1×C×H×W, fill 1×C×H×W, ranks 1×C×H×W, ranges n×2  →  n×C×H×W
 *
 * `ranks` gives every feature its place in some order, from 0. Variant i has the value of `fill` at the features whose
 * place lies in [ranges[i][0], ranges[i][1]) and the image's own elsewhere. With ranks 0, 1, 2, … and the ranges [k, k + 1]
 * each variant replaces one feature. Features that are never replaced have a place outside of all ranges, −1 for one.
 *
 * @throws ShapeError when the image is not one image, or fill, ranks or ranges do not fit
 * @source spec 2.4, step 3
 */
export const replacePixels: Kernel<'image' | 'fill' | 'ranks' | 'ranges', 'count' | 'features'> = {
  name: 'replacePixels',
  inputs: ['image', 'fill', 'ranks', 'ranges'],
  uniforms: { count: 'u32', features: 'u32' },
  plan({ image, fill, ranks, ranges }) {
    const rows = { what: 'ranges', shape: ranges, columns: 2 };
    const { variants, channels, height, width } = variantAxes('replacePixels', { image, fill }, rows);
    requireSame('replacePixels', 'ranks', image, ranks);
    const features = channels * height * width;
    const output = [variants, channels, height, width];
    return { output, uniforms: { count: sizeOf(output), features }, workgroups: workgroupsFor(sizeOf(output)) };
  },
  rows: () => ['ranges'],
  reference({ image, fill, ranks, ranges }, { count, features }, output) {
    for (let index = 0; index < count; index++) {
      const variant = Math.floor(index / features);
      const feature = index % features;
      const place = ranks[feature];
      const replaced = place >= ranges[2 * variant] && place < ranges[2 * variant + 1];
      output[index] = replaced ? fill[feature] : image[feature];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, features: u32 }
    @group(0) @binding(0) var<storage, read> image: array<f32>;         // features
    @group(0) @binding(1) var<storage, read> fill: array<f32>;          // features
    @group(0) @binding(2) var<storage, read> ranks: array<f32>;         // features
    @group(0) @binding(3) var<storage, read> ranges: array<f32>;        // variants × 2
    @group(0) @binding(4) var<storage, read_write> output: array<f32>;  // variants × features
    @group(0) @binding(5) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let variant = index / u.features;
      let feature = index % u.features;
      let place = ranks[feature];
      let replaced = place >= ranges[2u * variant] && place < ranges[2u * variant + 1u];
      output[index] = select(image[feature], fill[feature], replaced);
    }`,
  onnx(trace, { inputs }) {
    const bound = (column: number) => trace.reshape(trace.slice(inputs.ranges, 1, column, column + 1), [0, 1, 1, 1]);
    const early = trace.node('Less', [inputs.ranks, bound(0)]);
    const late = trace.node('Less', [inputs.ranks, bound(1)]);
    const replaced = trace.node('And', [late, trace.node('Not', [early])]);
    return trace.choose(replaced, inputs.fill, inputs.image);
  },
  samples: (random) => [
    [
      {
        image: uniformTensor(random, [1, 3, 4, 7], -2, 2),
        fill: uniformTensor(random, [1, 3, 4, 7], 3, 5),
        ranks: tensor([...random.permutation(84)], [1, 3, 4, 7]),
        ranges: tensor([0, 1, 0, 84, 5, 5, 83, 84, 20, 61], [5, 2]),
      },
      undefined,
    ],
  ],
};
