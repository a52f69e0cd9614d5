import type { Block } from '../buffer-pool.ts';
import { KernelError } from '../errors.ts';
import { BindGroups } from './bind-groups.ts';
import type { Checks, Watched } from './checks.ts';
import { COPY_DST, MODE_READ, UNIFORM } from './flags.ts';
import { fine, firstFailure, type Outcome } from './outcome.ts';
import type { Program } from './programs.ts';
import { Staging } from './staging.ts';

/** A tensor in a block, from `offset` bytes after the block's beginning. */
export interface Binding {
  readonly block: Block;
  readonly offset: number;
  readonly bytes: number;
}

/** One dispatch of a program. */
export interface Dispatch {
  readonly program: Program;
  /** Inputs in their order, then the output. */
  readonly bindings: readonly Binding[];
  /** Four bytes for each uniform. */
  readonly uniforms: Uint8Array<ArrayBuffer>;
  readonly workgroups: readonly [number, number, number];
  /** Kernel and shapes, for error texts. */
  readonly run: string;
}

/** Dispatches recorded at most before they are submitted. */
const LONGEST_BATCH = 128;

/** Bytes from which on numbers are written through memory that is kept. */
const LARGE = 2 ** 20;

/**
 * Records dispatches and submits them in batches, for encoding is cheap and submitting is not. A batch that the GPU refuses
 * is refused as a whole: what its dispatches would have written keeps its old numbers.
 *
 * All uniforms of a batch travel in one buffer, each dispatch reading at its own offset. Writes to that buffer and to
 * tensors go through the queue, which copies them at once and applies them after the batches submitted before, so neither
 * the program nor the GPU waits for the other.
 */
export class Commands {
  readonly #device: GPUDevice;
  readonly #checks: Checks;
  readonly #slot: number;
  readonly #uniforms: GPUBuffer;
  readonly #staged: Uint8Array<ArrayBuffer>;
  readonly #groups: BindGroups;
  readonly #staging: Staging;
  #pending: Dispatch[] = [];
  #batch = Promise.withResolvers<Error | undefined>();
  #touched = new Set<GPUBuffer>();

  constructor(device: GPUDevice, checks: Checks) {
    this.#device = device;
    this.#checks = checks;
    this.#slot = Math.max(256, device.limits.minUniformBufferOffsetAlignment);
    const size = LONGEST_BATCH * this.#slot;
    this.#uniforms = device.createBuffer({ label: 'uniforms', size, usage: UNIFORM | COPY_DST });
    this.#staged = new Uint8Array(size);
    this.#staging = new Staging(device);
    this.#groups = new BindGroups(device, { buffer: this.#uniforms, size: this.#slot });
  }

  /** Records a dispatch. @returns how the batch goes that it is part of */
  dispatch(dispatch: Dispatch): Outcome {
    this.#staged.set(dispatch.uniforms, this.#pending.length * this.#slot);
    for (const { block } of dispatch.bindings) this.#touched.add(block.buffer);
    const { promise } = this.#batch;
    this.#pending.push(dispatch);
    if (this.#pending.length === LONGEST_BATCH) this.submit();
    return promise;
  }

  /**
   * Copies a tensor into a buffer and maps that for reading. All that is recorded is submitted before, and the copy on its own,
   * so that it is made also where a dispatch is refused that has nothing to do with it.
   *
   * @param run what it is for, in errors
   * @returns when the numbers can be read, and how the copy goes
   */
  read({ block, offset, bytes }: Binding, to: Block, run: string): { mapped: Promise<void>; outcome: Outcome } {
    this.submit();
    const copyAndMap = () => {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(block.buffer, block.offset + offset, to.buffer, to.offset, bytes);
      this.#device.queue.submit([encoder.finish()]);
      return to.buffer.mapAsync(MODE_READ, to.offset, bytes);
    };
    const { result, outcome } = this.#watch(copyAndMap, [block, to], run);
    return { mapped: result, outcome };
  }

  /** Writes numbers to a block: after all that was recorded before, and before all that follows. */
  write(block: Block, data: Float32Array<ArrayBuffer>, run: string): Outcome {
    if (this.#touched.has(block.buffer)) this.submit(); // the queue would write before it runs what is still recorded here
    const send = () =>
      data.byteLength < LARGE
        ? this.#device.queue.writeBuffer(block.buffer, block.offset, data)
        : this.#staging.write(block.buffer, block.offset, data);
    return this.#watch(send, [block], run).outcome;
  }

  submit(): void {
    const dispatches = this.#pending;
    if (dispatches.length === 0) return;
    const { resolve } = this.#batch;
    this.forget();
    const needed = dispatches.flatMap(({ program, bindings }) => [program, ...bindings.map(({ block }) => block)]);
    const run = (message: string) => blame(dispatches, message);
    const send = () => this.#device.queue.submit([this.#pass(dispatches, 1).finish()]);
    resolve(this.#watch(send, needed, run).outcome);
  }

  /** Submits what speaks of buffers that are to be destroyed, and lets go of them. */
  letGo(): void {
    this.submit();
    this.#groups.clear();
  }

  /** Drops what is recorded and not submitted. */
  forget(): void {
    this.#pending = [];
    this.#batch = Promise.withResolvers();
    this.#touched = new Set();
  }

  /** Bytes of memory through which tensors are written. */
  get stagingBytes(): number {
    return this.#staging.bytes;
  }

  /** Gives back memory that is kept for the next write. */
  trim(): void {
    this.#staging.trim();
  }

  dispose(): void {
    this.forget();
    this.#staging.dispose();
    this.#uniforms.destroy();
  }

  /** Watches work that needs programs and blocks. If it fails because one of these had failed, that is the error. */
  #watch<T>(work: () => T, needed: readonly Needed[], run: string | ((message: string) => string)): Watched<T> {
    return this.#checks.watch(work, async (kind, message) => {
      const cause = await firstFailure(needed.map(({ outcome = fine }) => outcome));
      return cause ?? new KernelError(kind, typeof run === 'string' ? run : run(message), message);
    });
  }

  /**
   * Encodes dispatches into a pass of their own, all of them so many times over, to be submitted by the caller before anything else
   * is. What was recorded before is submitted.
   *
   * @throws RangeError when there are more than a batch holds
   */
  encode(
    dispatches: readonly Dispatch[],
    { times, timestampWrites }: { readonly times: number } & Pick<GPUComputePassDescriptor, 'timestampWrites'>,
  ): GPUCommandEncoder {
    if (dispatches.length > LONGEST_BATCH) {
      throw new RangeError(`${dispatches[0].run} takes ${dispatches.length} dispatches; use a smaller batch.`);
    }
    this.submit();
    dispatches.forEach(({ uniforms }, index) => {
      this.#staged.set(uniforms, index * this.#slot);
    });
    return this.#pass(dispatches, times, { timestampWrites });
  }

  /** @param dispatches whose uniforms are staged */
  #pass(dispatches: readonly Dispatch[], times: number, descriptor?: GPUComputePassDescriptor): GPUCommandEncoder {
    this.#device.queue.writeBuffer(this.#uniforms, 0, this.#staged, 0, dispatches.length * this.#slot);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass(descriptor);
    const bound = dispatches.map(({ program, bindings, run }) => this.#groups.of(program, bindings, run));
    for (let time = 0; time < times; time++) {
      dispatches.forEach(({ program, workgroups }, index) => {
        pass.setPipeline(program.pipeline);
        pass.setBindGroup(0, bound[index], [index * this.#slot]);
        pass.dispatchWorkgroups(...workgroups);
      });
    }
    pass.end();
    return encoder;
  }
}

/** What work on the GPU needs: useless if it failed itself. */
interface Needed {
  readonly outcome?: Outcome;
}

/** The run that an error message names by its label, or all of the batch. */
function blame(dispatches: readonly Dispatch[], message: string): string {
  const runs = [...new Set(dispatches.map(({ run }) => run))];
  return (
    runs.find((run) => message.includes(`"${run}"`)) ?? (runs.length > 1 ? `One of ${runs.join(', ')}` : runs.join())
  );
}
