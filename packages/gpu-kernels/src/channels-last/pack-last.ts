import type { Kernel } from '../kernel.ts';
import { requireRank, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { LAST, lastShape } from './layout.ts';

/**
 * Puts channels last, padded by zeros to a multiple of four.
 *
 *     N×C×H×W  →  N×H×W×C₄
 *
 * @throws ShapeError when the input has not four axes
 */
export const packLast: Kernel<'input', 'count' | 'channels' | 'padded' | 'pixels'> = {
  name: 'packLast',
  inputs: ['input'],
  uniforms: { count: 'u32', channels: 'u32', padded: 'u32', pixels: 'u32' },
  plan({ input }) {
    requireRank('packLast', 'an input', input, 'batch×channels×height×width');
    const output = lastShape(input);
    const count = sizeOf(output);
    const uniforms = { count, channels: input[1], padded: output[3], pixels: input[2] * input[3] };
    return { output, uniforms, workgroups: workgroupsFor(count) };
  },
  rows: () => ['input'],
  reference({ input }, { count, channels, padded, pixels }, output) {
    for (let index = 0; index < count; index++) {
      const channel = index % padded;
      const pixel = Math.floor(index / padded) % pixels;
      const image = Math.floor(index / (padded * pixels));
      output[index] = channel < channels ? input[(image * channels + channel) * pixels + pixel] : 0;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, padded: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // N × channels × pixels
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // N × pixels × padded
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let channel = index % u.padded;
      let pixel = (index / u.padded) % u.pixels;
      let image = index / (u.padded * u.pixels);
      var value = 0.0;
      if (channel < u.channels) { value = input[(image * u.channels + channel) * u.pixels + pixel]; }
      output[index] = value;
    }`,
  onnx(trace, { inputs, shapes, output }) {
    const moved = trace.node('Transpose', [inputs.input], LAST);
    const missing = output[3] - shapes.input[1];
    return missing === 0 ? moved : trace.pad(moved, [0, 0, 0, 0, 0, 0, 0, missing], 0);
  },
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 5, 7]) }, undefined],
    [{ input: uniformTensor(random, [3, 8, 2, 5]) }, undefined],
  ],
};
