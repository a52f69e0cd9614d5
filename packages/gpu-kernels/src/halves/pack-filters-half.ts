import { packFilters } from '../channels-last/pack-filters.ts';
import type { Kernel } from '../kernel.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { HALF_ROUNDING, halvedShape, writeHalves } from './half.ts';

/** Lays out the weights of a convolution in half precision. */
export type PackFiltersHalf = Kernel<'weights', 'count' | 'filters' | 'channels' | 'places' | 'read' | 'written'>;

/**
 * Lays the weights of a convolution out as the matrix that `conv2dHalf` multiplies with, in half precision.
 *
 *     O×I×h×w  →  (h·w·I₄)×O₄/2 words
 *
 * @throws ShapeError when the weights have not four axes
 */
export const packFiltersHalf: PackFiltersHalf = {
  name: 'packFiltersHalf',
  inputs: ['weights'],
  halves: ['output'],
  tolerance: HALF_ROUNDING,
  uniforms: { count: 'u32', filters: 'u32', channels: 'u32', places: 'u32', read: 'u32', written: 'u32' },
  plan({ weights }) {
    requireRank('packFiltersHalf', 'weights', weights, 'filters×channels×height×width');
    const packed = packFilters.plan({ weights }, { direction: 'forward' });
    const { filters, channels, places, read, written } = packed.uniforms;
    const output = halvedShape(packed.output);
    const count = sizeOf(output);
    return { output, uniforms: { count, filters, channels, places, read, written }, workgroups: workgroupsFor(count) };
  },
  reference({ weights }, u, output) {
    const numbers = new Float32Array(2 * u.count);
    packFilters.reference({ weights }, { ...u, count: numbers.length, back: 0 }, numbers);
    writeHalves(numbers, output);
  },
  wgsl: packingProgram(/* wgsl */ `
      let words = u.written / 2u;
      let filter_index = 2u * (index % words);
      let channel = (index / words) % u.read;
      let place = index / (words * u.read);
      let pair = vec2f(weightAt(filter_index, channel, place), weightAt(filter_index + 1u, channel, place));`),
  samples: (random) => [
    [{ weights: uniformTensor(random, [5, 3, 2, 4]) }, undefined],
    [{ weights: uniformTensor(random, [8, 6, 3, 1]) }, undefined],
  ],
};

/** A program that packs weights; the statements give the `pair` of numbers that a word of the output, `index`, is. */
export function packingProgram(statements: string): string {
  return /* wgsl */ `
    struct Uniforms { count: u32, filters: u32, channels: u32, places: u32, read: u32, written: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // filters × channels × places
    @group(0) @binding(1) var<storage, read_write> output: array<u32>;  // places · read · written / 2
    @group(0) @binding(2) var<uniform> u: Uniforms;

    fn weightAt(filter_index: u32, channel: u32, place: u32) -> f32 {
      if (filter_index >= u.filters || channel >= u.channels) { return 0.0; }
      return weights[(filter_index * u.channels + channel) * u.places + place];
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }${statements}
      output[index] = pack2x16float(pair);
    }`;
}
