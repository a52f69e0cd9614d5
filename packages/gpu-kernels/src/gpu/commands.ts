import type { Block } from '../buffer-pool.ts';
import { KernelError } from '../errors.ts';
import type { Checks } from './checks.ts';
import { COPY_DST, UNIFORM } from './flags.ts';
import type { Program } from './programs.ts';

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

type Command = Dispatch | { readonly from: Binding; readonly to: GPUBuffer };

/** Dispatches recorded at most before they are submitted. */
const LONGEST_BATCH = 128;

/**
 * Records commands and submits them in batches, for encoding is cheap and submitting is not.
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
  #pending: Command[] = [];
  #touched = new Set<GPUBuffer>();

  constructor(device: GPUDevice, checks: Checks) {
    this.#device = device;
    this.#checks = checks;
    this.#slot = Math.max(256, device.limits.minUniformBufferOffsetAlignment);
    const size = LONGEST_BATCH * this.#slot;
    this.#uniforms = device.createBuffer({ label: 'uniforms', size, usage: UNIFORM | COPY_DST });
    this.#staged = new Uint8Array(size);
  }

  dispatch(dispatch: Dispatch): void {
    this.#staged.set(dispatch.uniforms, this.#pending.length * this.#slot);
    for (const { block } of dispatch.bindings) this.#touched.add(block.buffer);
    this.#push(dispatch);
  }

  copy(from: Binding, to: GPUBuffer): void {
    this.#touched.add(from.block.buffer);
    this.#push({ from, to });
  }

  /** Writes numbers to a block: after all commands recorded before, and before all that follow. */
  write({ buffer, offset }: Block, data: Float32Array<ArrayBuffer>): void {
    if (this.#touched.has(buffer)) this.submit(); // the queue would write before it runs what is still recorded here
    this.#device.queue.writeBuffer(buffer, offset, data);
  }

  submit(): void {
    const commands = this.#pending;
    if (commands.length === 0) return;
    this.forget();
    this.#checks.watch(
      () => this.#encode(commands),
      (kind, message) => new KernelError(kind, blame(commands, message), message),
    );
  }

  /** Drops what is recorded and not submitted. */
  forget(): void {
    this.#pending = [];
    this.#touched = new Set();
  }

  dispose(): void {
    this.forget();
    this.#uniforms.destroy();
  }

  #push(command: Command): void {
    this.#pending.push(command);
    if (this.#pending.length === LONGEST_BATCH) this.submit();
  }

  #encode(commands: readonly Command[]): void {
    this.#device.queue.writeBuffer(this.#uniforms, 0, this.#staged, 0, commands.length * this.#slot);
    const encoder = this.#device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    commands.forEach((command, index) => {
      if ('to' in command) {
        pass?.end();
        pass = undefined;
        const { block, offset, bytes } = command.from;
        encoder.copyBufferToBuffer(block.buffer, block.offset + offset, command.to, 0, bytes);
        return;
      }
      pass ??= encoder.beginComputePass();
      pass.setPipeline(command.program.pipeline);
      pass.setBindGroup(0, this.#bind(command), [index * this.#slot]);
      pass.dispatchWorkgroups(...command.workgroups);
    });
    pass?.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  #bind({ program, bindings, run }: Dispatch): GPUBindGroup {
    const resources: GPUBufferBinding[] = [
      ...bindings.map(({ block, offset, bytes }) => ({
        buffer: block.buffer,
        offset: block.offset + offset,
        size: bytes,
      })),
      { buffer: this.#uniforms, size: this.#slot },
    ];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return this.#device.createBindGroup({ label: run, layout: program.bindings, entries });
  }
}

/** The run that an error message names by its label, or all of the batch. */
function blame(commands: readonly Command[], message: string): string {
  const runs = [...new Set(commands.flatMap((command) => ('run' in command ? [command.run] : [])))];
  return (
    runs.find((run) => message.includes(`"${run}"`)) ?? (runs.length > 1 ? `One of ${runs.join(', ')}` : runs.join())
  );
}
