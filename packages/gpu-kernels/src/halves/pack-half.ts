import { lastShape } from '../channels-last/layout.ts';
import type { Kernel } from '../kernel.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { HALF_ROUNDING, halvedShape, writeHalves } from './half.ts';

/**
 * Puts channels last, padded by zeros to a multiple of four, in half precision.
 *
 *     N×C×H×W  →  N×H×W×C₄/2 words
 *
 * @throws ShapeError when the input has not four axes
 */
export const packHalf: Kernel<'input', 'count' | 'channels' | 'words' | 'pixels'> = {
  name: 'packHalf',
  inputs: ['input'],
  halves: ['output'],
  tolerance: HALF_ROUNDING,
  uniforms: { count: 'u32', channels: 'u32', words: 'u32', pixels: 'u32' },
  plan({ input }) {
    requireRank('packHalf', 'an input', input, 'batch×channels×height×width');
    const output = halvedShape(lastShape(input));
    const count = sizeOf(output);
    const uniforms = { count, channels: input[1], words: output[3], pixels: input[2] * input[3] };
    return { output, uniforms, workgroups: workgroupsFor(count) };
  },
  rows: () => ['input'],
  reference({ input }, { count, channels, words, pixels }, output) {
    const numbers = Array.from({ length: 2 * count }, (_, index) => {
      const channel = index % (2 * words);
      const pixel = Math.floor(index / (2 * words)) % pixels;
      const image = Math.floor(index / (2 * words * pixels));
      return channel < channels ? input[(image * channels + channel) * pixels + pixel] : 0;
    });
    writeHalves(numbers, output);
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, words: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × channels × pixels
    @group(0) @binding(1) var<storage, read_write> output: array<u32>;  // N × pixels × words
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let channel = 2u * (index % u.words);
      let pixel = (index / u.words) % u.pixels;
      let image = index / (u.words * u.pixels);
      var pair = vec2f();
      if (channel < u.channels) { pair.x = input[(image * u.channels + channel) * u.pixels + pixel]; }
      if (channel + 1u < u.channels) { pair.y = input[(image * u.channels + channel + 1u) * u.pixels + pixel]; }
      output[index] = pack2x16float(pair);
    }`,
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 5, 7]) }, undefined],
    [{ input: uniformTensor(random, [3, 8, 2, 5]) }, undefined],
  ],
};
