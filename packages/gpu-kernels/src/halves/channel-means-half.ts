import { channelMeansLast } from '../channels-last/channel-means-last.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { doubledShape, fromHalves, requireHalves, toHalves } from './half.ts';

/**
 * `channelMeansLast` of halves; the means are float32 again.
 *
 *     N×H×W×C₄/2 words  →  N×1×1×C₄
 *
 * @throws ShapeError when the input is not laid out channels last
 */
export const channelMeansHalf: Kernel<'input', 'count' | 'pixels' | 'quads'> = {
  name: 'channelMeansHalf',
  inputs: ['input'],
  halves: ['input'],
  uniforms: { count: 'u32', pixels: 'u32', quads: 'u32' },
  plan({ input }) {
    requireHalves('channelMeansHalf', 'an input', input);
    return channelMeansLast.plan({ input: doubledShape(input) }, undefined);
  },
  rows: () => ['input'],
  reference: ({ input }, u, output) => channelMeansLast.reference({ input: fromHalves(input) }, u, output),
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, pixels: u32, quads: u32 }
    @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × pixels × quads
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>; // N × quads
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let first = index / u.quads * u.pixels * u.quads + index % u.quads;
      var sum = vec4f();
      for (var pixel = 0u; pixel < u.pixels; pixel++) {
        let quad = input[first + pixel * u.quads];
        sum += vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
      }
      output[index] = sum / f32(u.pixels);
    }`,
  samples: (random) => [
    [{ input: toHalves(uniformTensor(random, [2, 3, 5, 8])) }, undefined],
    [{ input: toHalves(uniformTensor(random, [3, 7, 6, 20])) }, undefined],
  ],
};
