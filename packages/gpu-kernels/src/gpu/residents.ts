import type { Block, BlockSource } from '../buffer-pool.ts';
import type { Resident } from '../engine.ts';
import { ShapeError } from '../errors.ts';
import type { Shape } from '../tensor.ts';
import { fine, type Outcome } from './outcome.ts';
import { bytesOf } from './portions.ts';

/** The tensors that an engine holds, each in its block, and the scopes that free them. */
export class Residents {
  readonly #source: BlockSource;
  readonly #maxBufferSize: number;
  readonly #blocks = new Map<Resident, Block>();
  readonly #released = new WeakSet<Resident>();
  readonly #outcomes = new WeakMap<Resident, Outcome>();
  readonly #scopes: Set<Resident>[] = [];

  constructor(source: BlockSource, maxBufferSize: number) {
    this.#source = source;
    this.#maxBufferSize = maxBufferSize;
  }

  /**
   * A new resident, in the innermost scope.
   *
   * @param run what it is for, in errors
   * @throws ShapeError when it would hold no number
   * @throws RangeError when it is larger than a buffer of the device, or than what the memory limit leaves
   */
  allocate(shape: Shape, run: string): Resident {
    const bytes = bytesOf(shape);
    if (bytes === 0) throw new ShapeError(run, 'tensors of at least one number', `[${shape.join(', ')}]`);
    if (bytes > this.#maxBufferSize) {
      throw new RangeError(
        `${run} needs a buffer of ${bytes} bytes, but maxBufferSize of the device is ${this.#maxBufferSize}. Use a smaller batch.`,
      );
    }
    const resident: Resident = { shape: [...shape] };
    this.#blocks.set(resident, this.#source.acquire(bytes, run));
    this.#scopes.at(-1)?.add(resident);
    return resident;
  }

  /** @throws TypeError when the resident was released or is another engine's */
  blockOf(resident: Resident): Block {
    const block = this.#blocks.get(resident);
    if (block) return block;
    throw new TypeError(
      this.#released.has(resident)
        ? 'webgpuEngine was given a resident whose memory was given back; return it from the scope that made it.'
        : 'webgpuEngine was given a resident of another engine; download it there and upload it here.',
    );
  }

  /** Says how writing the resident goes: everything that its numbers depend on. */
  wrote(resident: Resident, outcome: Outcome): void {
    this.#outcomes.set(resident, outcome);
  }

  /** Whether the resident holds the numbers it should; the error is what kept them from being computed. */
  outcomeOf(resident: Resident): Outcome {
    return this.#outcomes.get(resident) ?? fine;
  }

  release(resident: Resident): void {
    const block = this.#blocks.get(resident);
    if (!block) return;
    this.#blocks.delete(resident);
    this.#released.add(resident);
    for (const scope of this.#scopes) scope.delete(resident);
    this.#source.release(block);
  }

  /** Frees what `work` allocates, except what it returns, which passes to the scope outside. */
  scope<T extends Resident | readonly Resident[]>(work: () => T): T {
    const made = new Set<Resident>();
    this.#scopes.push(made);
    const keep = new Set<unknown>();
    try {
      const result = work();
      for (const resident of Array.isArray(result) ? result : [result]) keep.add(resident);
      return result;
    } finally {
      this.#scopes.pop();
      for (const resident of made) {
        if (keep.has(resident)) this.#scopes.at(-1)?.add(resident);
        else this.release(resident);
      }
    }
  }

  dispose(): void {
    for (const resident of this.#blocks.keys()) this.#released.add(resident);
    this.#blocks.clear();
    this.#source.dispose();
  }
}
