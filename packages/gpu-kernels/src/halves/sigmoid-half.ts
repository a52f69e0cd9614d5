import type { Kernel } from '../kernel.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { sigmoid } from '../kernels/sigmoid.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { boundedHalves, fromHalves, HALF_ROUNDING, requireHalves, toHalves, writeHalves } from './half.ts';

/**
 * `sigmoid` of halves with channels last.
 *
 * @throws ShapeError when the input is not laid out channels last
 */
export const sigmoidHalf: Kernel<'input', 'count'> = {
  name: 'sigmoidHalf',
  inputs: ['input'],
  halves: ['input', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: sigmoid.uniforms,
  plan({ input }, options) {
    requireHalves('sigmoidHalf', 'an input', input);
    const { uniforms } = sigmoid.plan({ input }, options);
    return { output: input, uniforms, workgroups: workgroupsFor(sizeOf(input)) };
  },
  rows: () => ['input'],
  reference({ input }, u, output) {
    const numbers = new Float32Array(2 * u.count);
    sigmoid.reference({ input: fromHalves(input) }, { ...u, count: numbers.length }, numbers);
    writeHalves(boundedHalves(numbers), output);
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32 } // count is of words
    @group(0) @binding(0) var<storage, read> input: array<u32>;
    @group(0) @binding(1) var<storage, read_write> output: array<u32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let value = unpack2x16float(input[index]);
      let small = exp(-abs(value)); // never overflows
      output[index] = pack2x16float(select(small, vec2f(1.0), value >= vec2f()) / (1.0 + small));
    }`,
  samples: (random) => {
    const input = toHalves(uniformTensor(random, [2, 3, 5, 8], -3, 3));
    return [[{ input }, undefined]];
  },
};
