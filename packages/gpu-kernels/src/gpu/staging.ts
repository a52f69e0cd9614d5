import { COPY_SRC, MAP_WRITE, MODE_WRITE } from './flags.ts';

/** Buffers that are kept for the next upload: one that is filled while the device reads the other. */
const KEPT = 2;

/**
 * Writes tensors to a device through memory of the host that both see. The memory is kept: a queue makes new one for every large
 * write, which takes several times as long as the copy.
 */
export class Staging {
  readonly #device: GPUDevice;
  readonly #ready: GPUBuffer[] = []; // mapped
  readonly #all = new Set<GPUBuffer>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** In buffers, under way or kept. */
  get bytes(): number {
    return [...this.#all].reduce((sum, { size }) => sum + size, 0);
  }

  /** Submits a copy of the numbers to a place in a buffer. Where there is no memory for it the queue writes them. */
  write(target: GPUBuffer, offset: number, data: Float32Array<ArrayBuffer>): void {
    const { byteLength } = data;
    const taken = this.#take(byteLength);
    if (!taken) {
      this.#device.queue.writeBuffer(target, offset, data);
      return;
    }
    const { buffer, memory } = taken;
    new Float32Array(memory).set(data);
    buffer.unmap();
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, target, offset, byteLength);
    this.#device.queue.submit([encoder.finish()]);
    buffer.mapAsync(MODE_WRITE).then(
      () => this.#keep(buffer),
      () => this.#destroy(buffer), // the device is lost, or the engine disposed of
    );
  }

  /** Gives back what is not under way. */
  trim(): void {
    for (const buffer of this.#ready.splice(0)) this.#destroy(buffer);
  }

  dispose(): void {
    this.#ready.length = 0;
    for (const buffer of this.#all) this.#destroy(buffer);
  }

  /** The smallest mapped buffer that holds so many bytes, or a new one, if there is memory for it. */
  #take(bytes: number): Mapped | undefined {
    const [smallest] = this.#ready.filter(({ size }) => size >= bytes).sort((a, b) => a.size - b.size);
    if (smallest) {
      this.#ready.splice(this.#ready.indexOf(smallest), 1);
      return { buffer: smallest, memory: smallest.getMappedRange(0, bytes) };
    }
    this.trim(); // what is kept is too small
    return this.#make(bytes);
  }

  #make(size: number): Mapped | undefined {
    let buffer: GPUBuffer | undefined;
    this.#device.pushErrorScope('out-of-memory'); // nobody need hear of it
    try {
      const usage = MAP_WRITE | COPY_SRC;
      buffer = this.#device.createBuffer({ label: 'upload', size, usage, mappedAtCreation: true });
      const memory = buffer.getMappedRange(); // throws where the buffer could not be made
      this.#all.add(buffer);
      return { buffer, memory };
    } catch {
      buffer?.destroy();
      return undefined;
    } finally {
      this.#device.popErrorScope().catch(() => {}); // of a lost device
    }
  }

  #keep(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return; // disposed of meanwhile
    this.#ready.push(buffer);
    this.#ready.sort((a, b) => b.size - a.size);
    for (const smaller of this.#ready.splice(KEPT)) this.#destroy(smaller);
  }

  #destroy(buffer: GPUBuffer): void {
    this.#all.delete(buffer);
    buffer.destroy();
  }
}

interface Mapped {
  readonly buffer: GPUBuffer;
  readonly memory: ArrayBuffer;
}
