import type { Kernel } from '../kernel.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { paddedChannels, traceTurned } from './layout.ts';

export interface PackFiltersOptions {
  /** `forward` for a convolution; `back` for its gradient with respect to its input, where channels and filters change places. */
  readonly direction: 'forward' | 'back';
}

export type PackFilters = Kernel<
  'weights',
  'count' | 'filters' | 'channels' | 'places' | 'read' | 'written' | 'back',
  PackFiltersOptions
>;

/**
 * Lays the weights of a convolution out as the matrix that `conv2dLast` multiplies with: a row for each place of the window
 * and channel read, a column for each channel written, both padded by zeros to multiples of four.
 *
 *     O×I×h×w  →  (h·w·I₄)×O₄ forward,  (h·w·O₄)×I₄ back, the window turned by half a turn
 *
 * @throws ShapeError when the weights have not four axes
 */
export const packFilters: PackFilters = {
  name: 'packFilters',
  inputs: ['weights'],
  uniforms: { count: 'u32', filters: 'u32', channels: 'u32', places: 'u32', read: 'u32', written: 'u32', back: 'u32' },
  plan({ weights }, { direction }) {
    requireRank('packFilters', 'weights', weights, 'filters×channels×height×width');
    const [filters, channels, height, width] = weights;
    const back = Number(direction === 'back');
    const read = paddedChannels(back ? filters : channels);
    const written = paddedChannels(back ? channels : filters);
    const output = [height * width * read, written];
    const count = sizeOf(output);
    const uniforms = { count, filters, channels, places: height * width, read, written, back };
    return { output, uniforms, workgroups: workgroupsFor(count) };
  },
  reference({ weights }, { count, filters, channels, places, read, written, back }, output) {
    for (let index = 0; index < count; index++) {
      const to = index % written;
      const from = Math.floor(index / written) % read;
      const place = Math.floor(index / (written * read));
      const [filter, channel] = back ? [from, to] : [to, from];
      const turned = back ? places - 1 - place : place;
      const real = filter < filters && channel < channels;
      output[index] = real ? weights[(filter * channels + channel) * places + turned] : 0;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, filters: u32, channels: u32, places: u32, read: u32, written: u32, back: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // filters × channels × places
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // places × read × written
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let to = index % u.written;
      let source = (index / u.written) % u.read;
      let place = index / (u.written * u.read);
      let filter_index = select(to, source, u.back == 1u);
      let channel = select(source, to, u.back == 1u);
      let turned = select(place, u.places - 1u - place, u.back == 1u);
      var value = 0.0;
      if (filter_index < u.filters && channel < u.channels) {
        value = weights[(filter_index * u.channels + channel) * u.places + turned];
      }
      output[index] = value;
    }`,
  onnx(trace, { inputs, shapes, output, options }) {
    const [filters, channels, height, width] = shapes.weights;
    const back = options.direction === 'back';
    const [read, written] = back ? [filters, channels] : [channels, filters];
    const turned = back ? traceTurned(trace, inputs.weights, [2, 3], [height, width]) : inputs.weights;
    const moved = trace.node('Transpose', [turned], { perm: { ints: back ? [2, 3, 0, 1] : [2, 3, 1, 0] } });
    const missing = [paddedChannels(read) - read, output[1] - written];
    const padded = missing.some((count) => count > 0) ? trace.pad(moved, [0, 0, 0, 0, 0, 0, ...missing], 0) : moved;
    return trace.reshape(padded, output);
  },
  samples: (random) => {
    const weights = uniformTensor(random, [5, 3, 2, 4]);
    return [
      [{ weights }, { direction: 'forward' }],
      [{ weights }, { direction: 'back' }],
    ];
  },
};
