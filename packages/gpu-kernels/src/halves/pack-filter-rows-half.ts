import { paddedChannels } from '../channels-last/layout.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { HALF_ROUNDING, writeHalves } from './half.ts';
import { type PackFiltersHalf, packFiltersHalf, packingProgram } from './pack-filters-half.ts';

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
  wgsl: packingProgram(/* wgsl */ `
      let words = u.read / 2u;
      let channel = 2u * (index % words);
      let place = (index / words) % u.places;
      let filter_index = index / (words * u.places);
      let pair = vec2f(weightAt(filter_index, channel, place), weightAt(filter_index, channel + 1u, place));`),
  samples: (random) => [
    [{ weights: uniformTensor(random, [5, 3, 2, 4]) }, undefined],
    [{ weights: uniformTensor(random, [8, 6, 3, 1]) }, undefined],
  ],
};
