import { Checks } from '../src/gpu/checks.ts';
import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, STORAGE, UNIFORM } from '../src/gpu/flags.ts';
import { foldGrid } from '../src/gpu/grid.ts';
import { bytesOf } from '../src/gpu/portions.ts';
import { Programs } from '../src/gpu/programs.ts';
import { packUniforms } from '../src/gpu/uniforms.ts';
import { type AnyKernel, mapNamed, type Named, type Tensor } from '../src/index.ts';

const QUERY_RESOLVE = 0x0200; // GPUBufferUsage

/** What is timed. */
export interface Subject {
  readonly kernel: AnyKernel;
  readonly inputs: Named<string, Tensor>;
  readonly options: unknown;
}

/** Measures how long a device takes for one dispatch. */
export interface Stopwatch {
  /** Where the times come from: the device's own clock, or ours around a batch that it has finished. */
  readonly clock: 'timestamps' | 'wall';
  /** Median over `rounds` batches of the seconds that one dispatch takes; batches last at least `batchSeconds`. */
  median(subject: Subject, rounds: number, batchSeconds: number): Promise<number>;
}

/** @param device with the feature timestamp-query, if its own clock is to be used */
export function stopwatch(device: GPUDevice): Stopwatch {
  const hasClock = device.features.has('timestamp-query');
  const measure = hasClock ? timestampClock(device) : wallClock(device);
  return {
    clock: hasClock ? 'timestamps' : 'wall',
    async median(subject, rounds, batchSeconds) {
      const prepared = await prepare(device, subject);
      try {
        await measure(prepared, 1); // compiles
        let count = 1;
        while (count < 1024 && (await measure(prepared, count)) < batchSeconds) count *= 2;
        const times: number[] = [];
        for (let round = 0; round < rounds; round++) times.push((await measure(prepared, count)) / count);
        return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
      } finally {
        for (const buffer of prepared.buffers) buffer.destroy();
      }
    },
  };
}

/** A dispatch with everything it needs on the device. */
interface Prepared {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  readonly buffers: readonly GPUBuffer[];
}

/** Seconds that a batch of so many dispatches takes. */
type Measure = (prepared: Prepared, count: number) => Promise<number>;

async function prepare(device: GPUDevice, { kernel, inputs, options }: Subject): Promise<Prepared> {
  const checks = new Checks(device);
  const program = new Programs(device, checks).of(kernel, kernel.name);
  const plan = kernel.plan(
    mapNamed(kernel.inputs, (name) => inputs[name].shape),
    options,
  );
  const uploaded = (usage: number, data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: usage | COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const { result: buffers } = checks.watch(
    () => [
      ...kernel.inputs.map((name: string) => uploaded(STORAGE, inputs[name].data)),
      device.createBuffer({ size: bytesOf(plan.output), usage: STORAGE }),
      uploaded(UNIFORM, packUniforms(kernel, plan.uniforms)),
    ],
    (kind, message) => new Error(`No memory for ${kernel.name} (${kind}): ${message}`),
  );
  await checks.settle();
  const entries = buffers.map((buffer: GPUBuffer, binding: number) => ({ binding, resource: { buffer } }));
  return {
    pipeline: program.pipeline,
    bindings: device.createBindGroup({ layout: program.bindings, entries }),
    workgroups: foldGrid(plan.workgroups, device.limits.maxComputeWorkgroupsPerDimension, kernel.name),
    buffers,
  };
}

/** The device's clock at the beginning and the end of a pass. */
function timestampClock(device: GPUDevice): Measure {
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  return async (prepared, count) => {
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    encode(encoder.beginComputePass({ timestampWrites }), prepared, count);
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MODE_READ);
    const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return Number(end - begin) / 1e9;
  };
}

/** Our clock, from submitting a batch to the news that it is finished. */
function wallClock(device: GPUDevice): Measure {
  return async (prepared, count) => {
    const encoder = device.createCommandEncoder();
    encode(encoder.beginComputePass(), prepared, count);
    const commands = encoder.finish();
    await device.queue.onSubmittedWorkDone();
    const start = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000;
  };
}

function encode(pass: GPUComputePassEncoder, { pipeline, bindings, workgroups }: Prepared, count: number): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings, [0]);
  for (let run = 0; run < count; run++) pass.dispatchWorkgroups(...workgroups);
  pass.end();
}
