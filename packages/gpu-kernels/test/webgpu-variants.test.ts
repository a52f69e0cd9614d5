import { expect, test } from 'vitest';
import { type DeviceOptions, type Kernel, type Tensor, tensor, webgpuEngine } from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';

/**
 * Sums of 64 numbers, and how many lanes add numbers together without shared memory.
 *
 *     rows×64  →  rows×2
 */
const laneSums: Kernel<'input', 'rows'> = {
  name: 'laneSums',
  inputs: ['input'],
  uniforms: { rows: 'u32' },
  plan: ({ input: [rows] }) => ({ output: [rows, 2], uniforms: { rows }, workgroups: [rows, 1, 1] }),
  reference({ input }, { rows }, output) {
    for (let row = 0; row < rows; row++) {
      output[2 * row] = input.subarray(64 * row, 64 * row + 64).reduce((sum, value) => sum + value);
      output[2 * row + 1] = 1;
    }
  },
  wgsl: [
    {
      features: ['subgroups'],
      code: /* wgsl */ `
        enable subgroups;
        struct Uniforms { rows: u32 }
        @group(0) @binding(0) var<storage, read> input: array<f32>;         // rows × 64
        @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // rows × 2
        @group(0) @binding(2) var<uniform> u: Uniforms;

        var<workgroup> partial: array<f32, 64>;

        @compute @workgroup_size(64)
        fn main(
          @builtin(workgroup_id) group: vec3u,
          @builtin(local_invocation_index) lane: u32,
          @builtin(subgroup_size) size: u32,
          @builtin(subgroup_invocation_id) place: u32,
        ) {
          let together = subgroupAdd(input[group.x * 64u + lane]);
          partial[lane] = select(0.0, together, place == 0u);
          workgroupBarrier(); // the first lane of each subgroup has written its sum
          if (lane > 0u) { return; }
          var sum = 0.0;
          for (var k = 0u; k < 64u; k++) { sum += partial[k]; }
          output[2u * group.x] = sum;
          output[2u * group.x + 1u] = f32(size);
        }`,
    },
    {
      features: [],
      code: /* wgsl */ `
        struct Uniforms { rows: u32 }
        @group(0) @binding(0) var<storage, read> input: array<f32>;         // rows × 64
        @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // rows × 2
        @group(0) @binding(2) var<uniform> u: Uniforms;

        override lanes = 7.0;

        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
          if (id.x >= u.rows) { return; }
          var sum = 0.0;
          for (var k = 0u; k < 64u; k++) { sum += input[id.x * 64u + k]; }
          output[2u * id.x] = sum;
          output[2u * id.x + 1u] = lanes;
        }`,
      constants: { lanes: 1 },
    },
  ],
  samples: () => [],
};

// sums of whole numbers below 2²⁴ are exact in any order
const input = tensor(
  Float32Array.from({ length: 64 * 5 }, (_, index) => (index * 37) % 101),
  [5, 64],
);
const sums = [0, 1, 2, 3, 4].map((row) => input.data.subarray(64 * row, 64 * row + 64).reduce((a, b) => a + b));

describeGpu('programs chosen by feature', ({ open }) => {
  test('with the feature the first program that needs no more runs', async (context) => {
    const { features, result } = await compute({ features: ['subgroups'] });
    if (!features.includes('subgroups')) context.skip('the adapter has no subgroups');
    const [numbers, lanes] = columns(result);
    expect(numbers).toEqual(sums);
    expect(new Set(lanes).size).toBe(1);
    expect(lanes[0]).toBeGreaterThanOrEqual(4); // WebGPU's smallest subgroup
  });

  test('without the feature the plain program runs, with its constants, and says the same', async () => {
    const { features, result } = await compute({ features: [] });
    expect(features).not.toContain('subgroups');
    expect(columns(result)).toEqual([sums, [1, 1, 1, 1, 1]]);
  });

  async function compute(options: DeviceOptions) {
    using opened = await open(options);
    using engine = webgpuEngine(opened.device);
    const result = await engine.download(engine.run(laneSums, { input: engine.upload(input) }, undefined));
    return { features: opened.features, result };
  }
});

function columns({ data }: Tensor): readonly [number[], number[]] {
  return [[...data.filter((_, index) => index % 2 === 0)], [...data.filter((_, index) => index % 2 === 1)]];
}
