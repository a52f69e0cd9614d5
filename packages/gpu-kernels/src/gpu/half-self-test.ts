import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, STORAGE } from './flags.ts';

/**
 * Whether a device computes in half precision as it should: 64 sums of products of small whole numbers, which half
 * precision holds exactly.
 *
 * Dawn hides f16 on NVIDIA's Vulkan driver, as it fails parts of the conformance tests; `openDevice` asks for it
 * nevertheless and trusts it only after this test.
 */
export async function halvesAreSound(device: GPUDevice): Promise<boolean> {
  const output = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: 256, usage: MAP_READ | COPY_DST });
  try {
    const module = device.createShaderModule({ code: PROGRAM });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const bindings = {
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: output } }],
    };
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup(bindings));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(output, 0, staging, 0, 256);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MODE_READ);
    return new Float32Array(staging.getMappedRange()).every((value, lane) => value === expected(lane));
  } finally {
    output.destroy();
    staging.destroy();
  }
}

const PROGRAM = /* wgsl */ `
  enable f16;
  @group(0) @binding(0) var<storage, read_write> output: array<f32>; // one number for each lane

  @compute @workgroup_size(64)
  fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.5h;
    for (var k = 1u; k <= 5u; k++) { sum += f16(lane) * f16(k); }
    output[lane] = f32(sum);
  }`;

/** 0.5 + lane·(1 + 2 + 3 + 4 + 5), at most 945.5: below 1024, where half precision still tells halves apart. */
function expected(lane: number): number {
  return 0.5 + 15 * lane;
}
