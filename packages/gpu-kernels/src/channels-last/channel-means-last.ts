import type { Kernel } from '../kernel.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { requireLast } from './layout.ts';

/**
 * `channelMeans` with channels last: the mean of each channel over space.
 *
 *     N×H×W×C₄  →  N×1×1×C₄
 *
 * @throws ShapeError when the input is not laid out channels last
 */
export const channelMeansLast: Kernel<'input', 'count' | 'pixels' | 'quads'> = {
  name: 'channelMeansLast',
  inputs: ['input'],
  uniforms: { count: 'u32', pixels: 'u32', quads: 'u32' },
  plan({ input }) {
    requireLast('channelMeansLast', 'an input', input);
    const [batch, height, width, channels] = input;
    const count = (batch * channels) / 4;
    return {
      output: [batch, 1, 1, channels],
      uniforms: { count, pixels: height * width, quads: channels / 4 },
      workgroups: workgroupsFor(count),
    };
  },
  rows: () => ['input'],
  reference({ input }, { count, pixels, quads }, output) {
    const channels = 4 * quads;
    for (let index = 0; index < 4 * count; index++) {
      const first = Math.floor(index / channels) * pixels * channels + (index % channels);
      let sum = 0;
      for (let pixel = 0; pixel < pixels; pixel++) sum += input[first + pixel * channels];
      output[index] = sum / pixels;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, pixels: u32, quads: u32 }
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × pixels × quads
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>; // N × quads
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let first = index / u.quads * u.pixels * u.quads + index % u.quads;
      var sum = vec4f();
      for (var pixel = 0u; pixel < u.pixels; pixel++) { sum += input[first + pixel * u.quads]; }
      output[index] = sum / f32(u.pixels);
    }`,
  onnx: (trace, { inputs }) => trace.reduce('ReduceMean', inputs.input, [1, 2]),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 3, 5, 8]) }, undefined],
    [{ input: uniformTensor(random, [3, 7, 6, 20]) }, undefined],
  ],
};
