import type { Binding } from './commands.ts';
import type { Program } from './programs.ts';

/** Bind groups that are kept at most: a network's batch needs one for each of its runs. */
const MOST = 4096;

/**
 * Makes bind groups and keeps them. A program that is run batch after batch gets the same buffers from the pool each time, and making
 * a group costs more than everything else that the host does for a run.
 */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #uniforms: GPUBufferBinding;
  readonly #numbers = new WeakMap<object, number>();
  readonly #made = new Map<string, GPUBindGroup>();
  #count = 0;

  /** @param uniforms what every group ends with, at a dynamic offset */
  constructor(device: GPUDevice, uniforms: GPUBufferBinding) {
    this.#device = device;
    this.#uniforms = uniforms;
  }

  /** @param label kernel and shapes, for errors: those of the first run that used these buffers in this way */
  of({ bindings: layout }: Program, bindings: readonly Binding[], label: string): GPUBindGroup {
    let key = `${this.#numberOf(layout)}`;
    for (const { block, offset, bytes } of bindings) {
      key += ` ${this.#numberOf(block.buffer)} ${block.offset + offset} ${bytes}`;
    }
    const known = this.#made.get(key);
    if (known) return known;
    if (this.#made.size === MOST) this.#made.clear();
    const resources: GPUBufferBinding[] = [
      ...bindings.map(({ block, offset, bytes }) => ({
        buffer: block.buffer,
        offset: block.offset + offset,
        size: bytes,
      })),
      this.#uniforms,
    ];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    const made = this.#device.createBindGroup({ label, layout, entries });
    this.#made.set(key, made);
    return made;
  }

  /** Lets go of all groups: to be called when buffers are destroyed, which they would keep. */
  clear(): void {
    this.#made.clear();
  }

  #numberOf(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    this.#numbers.set(object, ++this.#count);
    return this.#count;
  }
}
