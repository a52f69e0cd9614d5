import type { Outcome } from './gpu/outcome.ts';

/** A GPU buffer, or a part of one, that holds a tensor. */
export interface Block {
  readonly buffer: GPUBuffer;
  /** Where the tensor begins, in bytes. */
  readonly offset: number;
  /** How many bytes the block has; a tensor may use fewer. */
  readonly size: number;
  /** How making its buffer went, where that is watched. */
  readonly outcome?: Outcome;
}

/** Bytes of GPU memory. */
export interface PoolUse {
  /** Held by residents. */
  readonly used: number;
  /** Kept for reuse. */
  readonly pooled: number;
  /** The most that was held and kept at any time. */
  readonly peak: number;
}

/** Where an engine gets its memory from. */
export interface BlockSource {
  /** @param purpose for error texts: the run that wants the block */
  acquire(bytes: number, purpose: string): Block;
  release(block: Block): void;
  memory(): PoolUse;
  /** Destroys what is kept for reuse. */
  trim(): void;
  /** Destroys every buffer, held or kept. */
  dispose(): void;
}

export interface PoolOptions {
  readonly usage: number;
  /** Bytes that may be held and kept together. */
  readonly limit: number;
  /** Largest buffer that the device makes, in bytes. */
  readonly maxBufferSize: number;
  /** Creates a buffer and watches how that goes. */
  readonly create: (descriptor: GPUBufferDescriptor) => { readonly buffer: GPUBuffer; readonly outcome: Outcome };
  /** Called before buffers are destroyed, for commands that are not submitted yet may speak of them. */
  readonly beforeDestroy: () => void;
}

/**
 * Reuses GPU buffers by size. V8 does not know how large they are, so they are never left to its garbage collector.
 *
 * Sizes are rounded up to one of eight steps between powers of two, so that tensors of nearly the same size share buffers
 * and at most an eighth is wasted.
 */
export class BufferPool implements BlockSource {
  readonly #options: PoolOptions;
  readonly #free = new Map<number, Block[]>();
  readonly #held = new Set<Block>();
  readonly #broken = new WeakSet<Block>();
  #used = 0;
  #pooled = 0;
  #peak = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws RangeError when the block would not fit into the limit, even with nothing kept for reuse */
  acquire(bytes: number, purpose: string): Block {
    const { limit, maxBufferSize } = this.#options;
    const size = Math.max(bytes, Math.min(sizeClass(bytes), maxBufferSize));
    const kept = this.#free.get(size)?.pop();
    if (kept) this.#pooled -= size;
    else if (this.#used + this.#pooled + size > limit) this.trim();
    if (!kept && this.#used + size > limit) {
      throw new RangeError(
        `${purpose} needs ${size} bytes more than the ${this.#used} in use, and the memory limit is ${limit} bytes. ` +
          'Use smaller batches, release residents, or raise the limit.',
      );
    }
    const block = kept ?? this.#create(size, purpose);
    this.#held.add(block);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used + this.#pooled);
    return block;
  }

  release(block: Block): void {
    if (!this.#held.delete(block)) return;
    this.#used -= block.size;
    if (this.#broken.has(block)) return;
    this.#pooled += block.size;
    const free = this.#free.get(block.size);
    if (free) free.push(block);
    else this.#free.set(block.size, [block]);
  }

  trim(): void {
    this.#options.beforeDestroy();
    for (const blocks of this.#free.values()) for (const { buffer } of blocks) buffer.destroy();
    this.#free.clear();
    this.#pooled = 0;
  }

  memory(): PoolUse {
    return { used: this.#used, pooled: this.#pooled, peak: this.#peak };
  }

  dispose(): void {
    for (const { buffer } of this.#held) buffer.destroy();
    this.#held.clear();
    this.#used = 0;
    this.trim();
  }

  #create(size: number, purpose: string): Block {
    const descriptor = { label: `memory for ${purpose}`, size, usage: this.#options.usage };
    const block = { ...this.#options.create(descriptor), offset: 0, size };
    block.outcome.then((error) => error && this.#discard(block));
    return block;
  }

  /** A buffer that could not be made must not be reused. */
  #discard(block: Block): void {
    this.#broken.add(block);
    const free = this.#free.get(block.size) ?? [];
    if (!free.includes(block)) return;
    this.#free.set(
      block.size,
      free.filter((other) => other !== block),
    );
    this.#pooled -= block.size;
  }
}

/** The size of the buffer for so many bytes: one of eight steps between powers of two, at least 256. */
function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
