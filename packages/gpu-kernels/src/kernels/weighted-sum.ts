import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { requireRank, requireSame, workgroupsFor } from './shapes.ts';

/**
 * Adds up the channels of each image, each times its weight.
 *
 *     weights N×C, activations N×C×h×w  →  N×h×w
 *
 * @throws ShapeError when weights and activations do not fit
 */
export const weightedSum: Kernel<'weights' | 'activations', 'count' | 'channels' | 'pixels'> = {
  name: 'weightedSum',
  inputs: ['weights', 'activations'],
  uniforms: { count: 'u32', channels: 'u32', pixels: 'u32' },
  plan({ weights, activations }) {
    requireRank('weightedSum', 'activations', activations, 'batch×channels×height×width');
    requireSame('weightedSum', 'weights', activations.slice(0, 2), weights);
    const [batch, channels, height, width] = activations;
    const count = batch * height * width;
    return {
      output: [batch, height, width],
      uniforms: { count, channels, pixels: height * width },
      workgroups: workgroupsFor(count),
    };
  },
  rows: () => ['weights', 'activations'],
  reference({ weights, activations }, { count, channels, pixels }, output) {
    for (let index = 0; index < count; index++) {
      const image = Math.floor(index / pixels);
      let sum = 0;
      for (let channel = image * channels; channel < (image + 1) * channels; channel++) {
        sum += weights[channel] * activations[channel * pixels + (index % pixels)];
      }
      output[index] = sum;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, channels: u32, pixels: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // N × channels
    @group(0) @binding(1) var<storage, read> activations: array<f32>;   // N × channels × pixels
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;  // N × pixels
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let first = index / u.pixels * u.channels;
      let pixel = index % u.pixels;
      var sum = 0.0;
      for (var channel = first; channel < first + u.channels; channel++) {
        sum += weights[channel] * activations[channel * u.pixels + pixel];
      }
      output[index] = sum;
    }`,
  onnx(trace, { inputs, shapes }) {
    const [, channels, height, width] = shapes.activations;
    const row = trace.reshape(inputs.weights, [0, 1, channels]);
    const flat = trace.reshape(inputs.activations, [0, channels, height * width]);
    return trace.reshape(trace.node('MatMul', [row, flat]), [0, height, width]);
  },
  samples: (random) => [
    [{ weights: uniformTensor(random, [2, 5]), activations: uniformTensor(random, [2, 5, 3, 4]) }, undefined],
    [{ weights: uniformTensor(random, [3, 70]), activations: uniformTensor(random, [3, 70, 7, 6]) }, undefined],
  ],
};
