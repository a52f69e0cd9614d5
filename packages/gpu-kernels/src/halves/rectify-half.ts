import type { Kernel } from '../kernel.ts';
import type { RectifierOptions } from '../kernels/rectifier-gradient.ts';
import { rectify } from '../kernels/rectify.ts';
import { workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { boundedHalves, fromHalves, HALF_ROUNDING, requireHalves, toHalves, writeHalves } from './half.ts';

/**
 * `rectify` of halves with channels last.
 *
 * @throws ShapeError when the input is not laid out channels last
 * @throws RangeError when the ceiling is not above the floor
 */
export const rectifyHalf: Kernel<'input', 'count' | 'floor' | 'ceiling' | 'slope', RectifierOptions> = {
  name: 'rectifyHalf',
  inputs: ['input'],
  halves: ['input', 'output'],
  tolerance: HALF_ROUNDING,
  uniforms: rectify.uniforms,
  plan({ input }, options) {
    requireHalves('rectifyHalf', 'an input', input);
    const { uniforms } = rectify.plan({ input }, options);
    return { output: input, uniforms, workgroups: workgroupsFor(sizeOf(input)) };
  },
  rows: () => ['input'],
  reference({ input }, u, output) {
    const numbers = new Float32Array(2 * u.count);
    rectify.reference({ input: fromHalves(input) }, { ...u, count: numbers.length }, numbers);
    writeHalves(boundedHalves(numbers), output);
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, floor: f32, ceiling: f32, slope: f32 } // count is of words
    @group(0) @binding(0) var<storage, read> input: array<u32>;
    @group(0) @binding(1) var<storage, read_write> output: array<u32>;
    @group(0) @binding(2) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let value = unpack2x16float(input[index]);
      let bent = select(u.floor + u.slope * (value - u.floor), min(value, vec2f(u.ceiling)), value > vec2f(u.floor));
      output[index] = pack2x16float(clamp(bent, vec2f(-65504.0), vec2f(65504.0)));
    }`,
  samples: (random) => {
    const input = toHalves(uniformTensor(random, [2, 3, 5, 8], -3, 3));
    return [
      [{ input }, { floor: 0, ceiling: 2, slope: 0 }],
      [{ input }, { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0.125 }],
    ];
  },
};
