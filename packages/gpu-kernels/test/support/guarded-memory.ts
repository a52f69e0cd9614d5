import type { Block, BlockSource, PoolUse } from '../../src/buffer-pool.ts';
import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, STORAGE } from '../../src/gpu/flags.ts';

/** Bytes before and after every tensor, also what the beginning of a binding must be a multiple of. */
const GUARD = 256;

/** A NaN of our own: what is not written stays NaN, what is read past an end is NaN, and neither is an accident. */
const SENTINEL = 0x7fc0dead;

/**
 * Memory for an engine under test: every block is filled with a sentinel and lies between two guards. `overruns` tells
 * how many numbers were written into guards since it was last asked.
 */
export class GuardedMemory implements BlockSource {
  readonly #device: GPUDevice;
  readonly #blocks = new Map<Block, number>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  acquire(bytes: number): Block {
    const size = GUARD + bytes + GUARD;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const buffer = this.#device.createBuffer({ size, usage, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange()).fill(SENTINEL);
    buffer.unmap();
    const block = { buffer, offset: GUARD, size: bytes };
    this.#blocks.set(block, size);
    return block;
  }

  /** Blocks are kept until `overruns` has looked at them. */
  release(): void {}

  trim(): void {}

  async overruns(): Promise<number> {
    const sizes = [...this.#blocks.values()];
    const staging = this.#device.createBuffer({
      size: sizes.reduce((sum, size) => sum + size, 0),
      usage: MAP_READ | COPY_DST,
    });
    const encoder = this.#device.createCommandEncoder();
    let end = 0;
    for (const [{ buffer }, size] of this.#blocks) {
      encoder.copyBufferToBuffer(buffer, 0, staging, end, size);
      end += size;
    }
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MODE_READ);
    const words = new Uint32Array(staging.getMappedRange());
    const count = changedGuards(words, sizes);
    staging.destroy();
    this.dispose();
    return count;
  }

  memory(): PoolUse {
    return { used: 0, pooled: 0, peak: 0 };
  }

  dispose(): void {
    for (const { buffer } of this.#blocks.keys()) buffer.destroy();
    this.#blocks.clear();
  }
}

function changedGuards(words: Uint32Array, sizes: readonly number[]): number {
  let start = 0;
  let changed = 0;
  for (const size of sizes) {
    const guards = [
      words.subarray(start / 4, (start + GUARD) / 4),
      words.subarray((start + size - GUARD) / 4, (start + size) / 4),
    ];
    for (const guard of guards) changed += guard.reduce((sum, word) => sum + Number(word !== SENTINEL), 0);
    start += size;
  }
  return changed;
}
