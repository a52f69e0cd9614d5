import { paddedChannels } from '../channels-last/layout.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { HALF_ROUNDING, writeHalves } from './half.ts';
import { type PackFiltersHalf, packFiltersHalf } from './pack-filters-half.ts';

/**
 * Lays the weights of a convolution out as `matrixConvolutions` multiply with them: a row for each filter, in half precision.
 *
 *     O×I×h×w  →  O₄×(h·w·I₄)/2 words, the window's places one after another, channels side by side
 *
 * @throws ShapeError when the weights have not four axes
 */
export const packFilterRowsHalf: PackFiltersHalf = {
  name: 'packFilterRowsHalf',
  inputs: ['weights'],
  halves: ['output'],
  tolerance: HALF_ROUNDING,
  uniforms: packFiltersHalf.uniforms,
  plan({ weights }) {
    requireRank('packFilterRowsHalf', 'weights', weights, 'filters×channels×height×width');
    const [filters, channels, height, width] = weights;
    const [read, written, places] = [paddedChannels(channels), paddedChannels(filters), height * width];
    const output = [written, (places * read) / 2];
    const count = sizeOf(output);
    return { output, uniforms: { count, filters, channels, places, read, written }, workgroups: workgroupsFor(count) };
  },
  reference({ weights }, { count, filters, channels, places, read }, output) {
    const numbers = new Float32Array(2 * count);
    for (let filter = 0; filter < filters; filter++) {
      for (let place = 0; place < places; place++) {
        for (let channel = 0; channel < channels; channel++) {
          numbers[(filter * places + place) * read + channel] = weights[(filter * channels + channel) * places + place];
        }
      }
    }
    writeHalves(numbers, output);
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, filters: u32, channels: u32, places: u32, read: u32, written: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // filters × channels × places
    @group(0) @binding(1) var<storage, read_write> output: array<u32>;  // written × places × read / 2
    @group(0) @binding(2) var<uniform> u: Uniforms;

    fn weightAt(filter_index: u32, channel: u32, place: u32) -> f32 {
      if (filter_index >= u.filters || channel >= u.channels) { return 0.0; }
      return weights[(filter_index * u.channels + channel) * u.places + place];
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let words = u.read / 2u;
      let channel = 2u * (index % words);
      let place = (index / words) % u.places;
      let filter_index = index / (words * u.places);
      let pair = vec2f(weightAt(filter_index, channel, place), weightAt(filter_index, channel + 1u, place));
      output[index] = pack2x16float(pair);
    }`,
  samples: (random) => [
    [{ weights: uniformTensor(random, [5, 3, 2, 4]) }, undefined],
    [{ weights: uniformTensor(random, [8, 6, 3, 1]) }, undefined],
  ],
};
