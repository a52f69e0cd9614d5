import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { requireRank, workgroupsFor } from './shapes.ts';

/**
 * The mean of each channel over space.
 *
 *     N×C×h×w  →  N×C
 *
 * @throws ShapeError when the input has not four axes
 */
export const channelMeans: Kernel<'input', 'count' | 'pixels'> = {
  name: 'channelMeans',
  inputs: ['input'],
  uniforms: { count: 'u32', pixels: 'u32' },
  plan({ input }) {
    requireRank('channelMeans', 'an input', input, 'batch×channels×height×width');
    const [batch, channels, height, width] = input;
    const count = batch * channels;
    return {
      output: [batch, channels],
      uniforms: { count, pixels: height * width },
      workgroups: workgroupsFor(count),
    };
  },
  rows: () => ['input'],
  reference({ input }, { count, pixels }, output) {
    for (let channel = 0; channel < count; channel++) {
      let sum = 0;
      for (let pixel = 0; pixel < pixels; pixel++) sum += input[channel * pixels + pixel];
      output[channel] = sum / pixels;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // count × pixels
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // count
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let channel = id.x + id.y * (groups.x * 64u);
      if (channel >= u.count) { return; }
      var sum = 0.0;
      for (var pixel = 0u; pixel < u.pixels; pixel++) { sum += input[channel * u.pixels + pixel]; }
      output[channel] = sum / f32(u.pixels);
    }`,
  onnx: (trace, { inputs, output }) => trace.reshape(trace.reduce('ReduceMean', inputs.input, [2, 3]), [0, output[1]]),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 4, 5]) }, undefined],
    [{ input: uniformTensor(random, [3, 70, 7, 6]) }, undefined],
  ],
};
