import type { UnpackLastOptions } from '../channels-last/unpack-last.ts';
import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { fromHalves, requireHalves, toHalves } from './half.ts';

/**
 * Takes numbers out of half precision, channels first again, without the padding.
 *
 *     N×H×W×C₄/2 words  →  N×C×H×W
 *
 * @throws ShapeError when the input has not four axes, or fewer channels
 */
export const unpackHalf: Kernel<'input', 'count' | 'channels' | 'words' | 'pixels', UnpackLastOptions> = {
  name: 'unpackHalf',
  inputs: ['input'],
  halves: ['input'],
  uniforms: { count: 'u32', channels: 'u32', words: 'u32', pixels: 'u32' },
  plan({ input }, { channels }) {
    requireHalves('unpackHalf', 'an input', input);
    const [batch, height, width, words] = input;
    if (channels > 2 * words || channels < 1) {
      throw new ShapeError('unpackHalf', `an input of at least ${channels} channels`, String(2 * words));
    }
    const output = [batch, channels, height, width];
    const count = sizeOf(output);
    return { output, uniforms: { count, channels, words, pixels: height * width }, workgroups: workgroupsFor(count) };
  },
  rows: () => ['input'],
  reference({ input }, { count, channels, words, pixels }, output) {
    const numbers = fromHalves(input);
    for (let index = 0; index < count; index++) {
      const pixel = index % pixels;
      const channel = Math.floor(index / pixels) % channels;
      const image = Math.floor(index / (channels * pixels));
      output[index] = numbers[(image * pixels + pixel) * 2 * words + channel];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, words: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> input: array<u32>;         // N × pixels × words
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × channels × pixels
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let pixel = index % u.pixels;
      let channel = (index / u.pixels) % u.channels;
      let image = index / (u.channels * u.pixels);
      output[index] = unpack2x16float(input[(image * u.pixels + pixel) * u.words + channel / 2u])[channel % 2u];
    }`,
  samples: (random) => [
    [{ input: toHalves(uniformTensor(random, [2, 5, 7, 4])) }, { channels: 3 }],
    [{ input: toHalves(uniformTensor(random, [3, 2, 5, 8])) }, { channels: 8 }],
  ],
};
