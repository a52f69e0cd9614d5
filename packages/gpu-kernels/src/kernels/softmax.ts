import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { requireRank } from './shapes.ts';

/**
 * Turns each row of logits into probabilities.
 *
 *     N×K  →  N×K,  exp(zₖ − max z) / Σ exp(z − max z)
 *
 * Subtracting the maximum changes nothing but keeps exp from overflowing.
 *
 * @throws ShapeError when the input is not a matrix
 */
export const softmax: Kernel<'input', 'rows' | 'classes'> = {
  name: 'softmax',
  inputs: ['input'],
  uniforms: { rows: 'u32', classes: 'u32' },
  plan({ input }) {
    requireRank('softmax', 'logits', input, 'batch×classes');
    const [rows, classes] = input;
    return { output: input, uniforms: { rows, classes }, workgroups: [rows, 1, 1] };
  },
  rows: () => ['input'],
  reference({ input }, { rows, classes }, output) {
    for (let row = 0; row < rows; row++) {
      const logits = input.subarray(row * classes, (row + 1) * classes);
      const largest = logits.reduce((a, b) => Math.max(a, b));
      let sum = 0;
      for (const logit of logits) sum += Math.exp(logit - largest);
      for (let k = 0; k < classes; k++) output[row * classes + k] = Math.exp(logits[k] - largest) / sum;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { rows: u32, classes: u32 }
    @group(0) @binding(0) var<storage, read> input: array<f32>;         // rows × classes
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // rows × classes
    @group(0) @binding(2) var<uniform> u: Uniforms;

    var<workgroup> partial: array<f32, 64>;

    // One workgroup for each row.
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let row = group.x + group.y * groups.x;
      if (row >= u.rows) { return; }
      let start = row * u.classes;
      var high = input[start];
      for (var k = lane; k < u.classes; k += 64u) { high = max(high, input[start + k]); }
      partial[lane] = high;
      for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier(); // all lanes have written what the lower half now reads
        if (lane < half) { partial[lane] = max(partial[lane], partial[lane + half]); }
      }
      workgroupBarrier(); // lane 0 holds the maximum of the row
      let largest = partial[0];
      workgroupBarrier(); // every lane has read it before the sums overwrite it
      var sum = 0.0;
      for (var k = lane; k < u.classes; k += 64u) { sum += exp(input[start + k] - largest); }
      partial[lane] = sum;
      for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier(); // all lanes have written what the lower half now reads
        if (lane < half) { partial[lane] += partial[lane + half]; }
      }
      workgroupBarrier(); // lane 0 holds the sum of the row
      for (var k = lane; k < u.classes; k += 64u) {
        output[start + k] = exp(input[start + k] - largest) / partial[0];
      }
    }`,
  onnx: (trace, { inputs }) => trace.node('Softmax', [inputs.input], { axis: { int: 1 } }),
  samples: (random) => [
    [{ input: uniformTensor(random, [2, 10], -5, 5) }, undefined],
    [{ input: uniformTensor(random, [3, 130], -50, 200) }, undefined],
  ],
};
