import type { Kernel } from '../kernel.ts';
import { requireSame, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { paddedChannels, traceTurned } from './layout.ts';
import type { PackFiltersOptions } from './pack-filters.ts';

/**
 * Lays the weights of a convolution of each channel by itself out as `depthwiseLast` reads them.
 *
 *     C×1×h×w  →  (h·w)×C₄, for the way back with the window turned by half a turn
 *
 * @throws ShapeError when the weights are not channels×1×height×width
 */
export const packDepthwise: Kernel<'weights', 'count' | 'channels' | 'places' | 'padded' | 'back', PackFiltersOptions> =
  {
    name: 'packDepthwise',
    inputs: ['weights'],
    uniforms: { count: 'u32', channels: 'u32', places: 'u32', padded: 'u32', back: 'u32' },
    plan({ weights }, { direction }) {
      const [channels, , height, width] = weights;
      requireSame('packDepthwise', 'weights', [channels, 1, height, width], weights);
      const places = height * width;
      const output = [places, paddedChannels(channels)];
      const count = sizeOf(output);
      const uniforms = { count, channels, places, padded: output[1], back: Number(direction === 'back') };
      return { output, uniforms, workgroups: workgroupsFor(count) };
    },
    reference({ weights }, { count, channels, places, padded, back }, output) {
      for (let index = 0; index < count; index++) {
        const channel = index % padded;
        const place = Math.floor(index / padded);
        output[index] = channel < channels ? weights[channel * places + (back ? places - 1 - place : place)] : 0;
      }
    },
    wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, places: u32, padded: u32, back: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // channels × places
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // places × padded
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let channel = index % u.padded;
      let place = index / u.padded;
      var value = 0.0;
      if (channel < u.channels) {
        value = weights[channel * u.places + select(place, u.places - 1u - place, u.back == 1u)];
      }
      output[index] = value;
    }`,
    onnx(trace, { inputs, shapes, output, options }) {
      const [channels, , height, width] = shapes.weights;
      const turned =
        options.direction === 'back' ? traceTurned(trace, inputs.weights, [2, 3], [height, width]) : inputs.weights;
      const moved = trace.node('Transpose', [turned], { perm: { ints: [2, 3, 1, 0] } });
      const missing = output[1] - channels;
      return trace.reshape(missing > 0 ? trace.pad(moved, [0, 0, 0, 0, 0, 0, 0, missing], 0) : moved, output);
    },
    samples: (random) => {
      const weights = uniformTensor(random, [6, 1, 2, 4]);
      return [
        [{ weights }, { direction: 'forward' }],
        [{ weights }, { direction: 'back' }],
      ];
    },
  };
