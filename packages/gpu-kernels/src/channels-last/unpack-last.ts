import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { FIRST, requireLast } from './layout.ts';

/** How many channels are real; those behind them were padding. */
export interface UnpackLastOptions {
  readonly channels: number;
}

/**
 * Puts channels first again and drops the padding.
 *
 *     N×H×W×C₄  →  N×C×H×W
 *
 * @throws ShapeError when the input is not laid out channels last, or has fewer channels
 */
export const unpackLast: Kernel<'input', 'count' | 'channels' | 'padded' | 'pixels', UnpackLastOptions> = {
  name: 'unpackLast',
  inputs: ['input'],
  uniforms: { count: 'u32', channels: 'u32', padded: 'u32', pixels: 'u32' },
  plan({ input }, { channels }) {
    requireLast('unpackLast', 'an input', input);
    const [batch, height, width, padded] = input;
    if (channels > padded || channels < 1) {
      throw new ShapeError('unpackLast', `an input of at least ${channels} channels`, String(padded));
    }
    const output = [batch, channels, height, width];
    const count = sizeOf(output);
    return { output, uniforms: { count, channels, padded, pixels: height * width }, workgroups: workgroupsFor(count) };
  },
  rows: () => ['input'],
  reference({ input }, { count, channels, padded, pixels }, output) {
    for (let index = 0; index < count; index++) {
      const pixel = index % pixels;
      const channel = Math.floor(index / pixels) % channels;
      const image = Math.floor(index / (channels * pixels));
      output[index] = input[(image * pixels + pixel) * padded + channel];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, padded: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × pixels × padded
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × channels × pixels
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let pixel = index % u.pixels;
      let channel = (index / u.pixels) % u.channels;
      let image = index / (u.channels * u.pixels);
      output[index] = input[(image * u.pixels + pixel) * u.padded + channel];
    }`,
  onnx(trace, { inputs, shapes, options }) {
    const moved = trace.node('Transpose', [inputs.input], FIRST);
    return options.channels === shapes.input[3] ? moved : trace.slice(moved, 1, 0, options.channels);
  },
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 5, 7, 4]) }, { channels: 3 }],
    [{ input: uniformTensor(random, [3, 2, 5, 8]) }, { channels: 8 }],
  ],
};
