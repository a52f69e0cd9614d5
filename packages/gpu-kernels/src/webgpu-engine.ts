import type { BlockSource, PoolUse } from './buffer-pool.ts';
import type { Engine, Resident } from './engine.ts';
import { Checks } from './gpu/checks.ts';
import { type Binding, Commands, type Dispatch } from './gpu/commands.ts';
import { devicePool } from './gpu/device-pool.ts';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from './gpu/flags.ts';
import { foldGrid } from './gpu/grid.ts';
import { Life } from './gpu/life.ts';
import { firstFailure } from './gpu/outcome.ts';
import { bytesOf, cutIntoPortions, portionShapes } from './gpu/portions.ts';
import { Programs } from './gpu/programs.ts';
import { Residents } from './gpu/residents.ts';
import { Stopwatch, type Timing } from './gpu/stopwatch.ts';
import { packUniforms } from './gpu/uniforms.ts';
import type { AnyKernel, Kernel, Named } from './kernel.ts';
import { mapNamed } from './named.ts';
import { planRun } from './plan-run.ts';
import { type Shape, type Tensor, tensor } from './tensor.ts';

export interface WebgpuEngineOptions {
  /** Bytes of GPU memory that tensors may take, those kept for reuse included. No limit unless said. */
  readonly memoryLimit?: number;
  /** Bytes of a tensor that a kernel sees at once; the device's maxStorageBufferBindingSize unless said. */
  readonly bindingLimit?: number;
  /** Workgroups of a dispatch along one dimension; the device's maxComputeWorkgroupsPerDimension unless said. */
  readonly workgroupLimit?: number;
}

/** Bytes of GPU memory that an engine has taken. */
export interface MemoryUse extends PoolUse {
  /** In buffers through which results are read, under way or kept for reuse. Neither `peak` nor the limit contains them. */
  readonly readBack: number;
}

/** An engine that computes on a GPU. Whoever opens it disposes of it, or declares it with `using`. */
export interface WebgpuEngine extends Engine, Disposable {
  /** GPU memory that tensors and the reading of them take. */
  memory(): MemoryUse;
  /**
   * Median of the seconds that the GPU takes for a run; its output is not kept. Whether the numbers are right is seen by running it.
   *
   * @throws what `run` does, and KernelError when the GPU refuses it
   */
  time<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
    timing: Timing,
  ): Promise<number>;
  /** Where these times come from: the device's own clock, or ours around a batch of runs that it has finished. */
  readonly clock: 'timestamps' | 'wall';
  /** Waits until the GPU has done all work so far. @throws KernelError that no download threw yet, DeviceLostError */
  finished(): Promise<void>;
  /** Frees the memory that is kept for reuse. */
  trim(): void;
  /** Frees all memory. The device stays open: it belongs to whoever opened it. */
  dispose(): void;
}

/**
 * Opens an engine on a WebGPU device.
 *
 * `run` returns at once: work is recorded, and submitted in batches or when a result is asked for. What shapes, the memory
 * limit and the device's limits forbid is thrown by `run` itself. What the GPU has to object to is known later: a download
 * throws the KernelError, with kernel and shapes, that kept its resident or anything it was computed from from being written,
 * every time it is tried; other residents stay as they were. `finished` throws what no download has thrown. When the device is
 * lost, pending downloads reject with a DeviceLostError and later calls throw it. Tensors larger than a binding are computed
 * a few rows at a time, where the kernel has rows.
 *
 * @param device from `openDevice`, or any other
 */
export function webgpuEngine(device: GPUDevice, options: WebgpuEngineOptions = {}): WebgpuEngine {
  return new GpuEngine(device, options);
}

/** The engine behind `webgpuEngine`. Tests hand it a memory of their own, with guards around every tensor. */
export class GpuEngine implements WebgpuEngine {
  readonly name = 'webgpu';
  readonly clock: WebgpuEngine['clock'];
  readonly #device: GPUDevice;
  readonly #life: Life;
  readonly #checks: Checks;
  readonly #commands: Commands;
  readonly #programs: Programs;
  readonly #stopwatch: Stopwatch;
  readonly #memory: BlockSource;
  readonly #readBacks: BlockSource;
  readonly #residents: Residents;
  readonly #limits: { readonly bytes: number; readonly alignment: number; readonly workgroups: number };

  constructor(device: GPUDevice, options: WebgpuEngineOptions, memory?: BlockSource) {
    this.#device = device;
    this.#life = new Life(device, 'webgpuEngine');
    this.#checks = new Checks(device);
    this.#commands = new Commands(device, this.#checks);
    this.#programs = new Programs(device, this.#checks);
    this.#stopwatch = new Stopwatch(device, this.#commands, this.#checks);
    this.clock = this.#stopwatch.clock;
    const beforeDestroy = () => this.#commands.submit();
    const openPool = (usage: number, limit?: number) =>
      devicePool(device, this.#checks, { usage, limit, beforeDestroy });
    this.#memory = memory ?? openPool(STORAGE | COPY_SRC | COPY_DST, options.memoryLimit);
    this.#readBacks = openPool(MAP_READ | COPY_DST);
    this.#residents = new Residents(this.#memory, device.limits.maxBufferSize);
    this.#limits = {
      bytes: options.bindingLimit ?? device.limits.maxStorageBufferBindingSize,
      alignment: device.limits.minStorageBufferOffsetAlignment,
      workgroups: options.workgroupLimit ?? device.limits.maxComputeWorkgroupsPerDimension,
    };
  }

  upload(source: Tensor): Resident {
    this.#life.require();
    const purpose = `upload of [${source.shape.join(', ')}]`;
    const resident = this.#residents.allocate(source.shape, purpose);
    this.#residents.wrote(resident, this.#commands.write(this.#residents.blockOf(resident), source.data, purpose));
    return resident;
  }

  run<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): Resident {
    const { output, dispatches } = this.#prepare(kernel, inputs, options);
    const outcomes = kernel.inputs.map((name) => this.#residents.outcomeOf(inputs[name]));
    for (const dispatch of dispatches) outcomes.push(this.#commands.dispatch(dispatch));
    this.#residents.wrote(output, firstFailure(outcomes));
    return output;
  }

  async time<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
    timing: Timing,
  ): Promise<number> {
    const { output, dispatches } = this.#prepare(kernel, inputs, options);
    const seconds = this.#life.wait(this.#stopwatch.median(dispatches, timing));
    return seconds.finally(() => this.#residents.release(output));
  }

  async download(source: Resident): Promise<Tensor> {
    this.#life.require();
    const bytes = bytesOf(source.shape);
    const from = { block: this.#residents.blockOf(source), offset: 0, bytes };
    const purpose = `download of [${source.shape.join(', ')}]`;
    const staging = this.#readBacks.acquire(bytes, purpose);
    const { mapped, outcome } = this.#commands.read(from, staging, purpose);
    mapped.catch(() => {}); // waited for below, unless an error that explains its failure comes first
    try {
      const failure = await this.#life.wait(firstFailure([this.#residents.outcomeOf(source), outcome]));
      if (failure) this.#checks.told(failure);
      if (failure) throw failure;
      await this.#life.wait(mapped);
      return tensor(new Float32Array(staging.buffer.getMappedRange(0, bytes).slice(0)), source.shape);
    } finally {
      staging.buffer.unmap();
      this.#readBacks.release(staging);
    }
  }

  release(...residents: readonly Resident[]): void {
    for (const resident of residents) this.#residents.release(resident);
  }

  scope<T extends Resident | readonly Resident[]>(work: () => T): T {
    return this.#residents.scope(work);
  }

  memory(): MemoryUse {
    const { used, pooled } = this.#readBacks.memory();
    return { ...this.#memory.memory(), readBack: used + pooled };
  }

  async finished(): Promise<void> {
    this.#life.require();
    this.#commands.submit();
    await this.#life.wait(this.#device.queue.onSubmittedWorkDone());
    await this.#life.wait(this.#checks.settle());
  }

  trim(): void {
    this.#memory.trim();
    this.#readBacks.trim();
  }

  dispose(): void {
    this.#life.end(new Error('webgpuEngine is disposed of; open another.'));
    this.#commands.dispose();
    this.#residents.dispose();
    this.#readBacks.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Memory for the output of a run, and what writes it. */
  #prepare<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): { readonly output: Resident; readonly dispatches: readonly Dispatch[] } {
    this.#life.require();
    for (const name of kernel.inputs) this.#residents.blockOf(inputs[name]);
    const shapes = mapNamed(kernel.inputs, (name) => inputs[name].shape);
    const run = `${kernel.name}(${kernel.inputs.map((name) => `[${shapes[name].join(', ')}]`).join(', ')})`;
    const shape = planRun(kernel, shapes, options).output;
    const portions = cutIntoPortions(kernel, { shapes, output: shape, options, run }, this.#limits);
    const output = this.#residents.allocate(shape, run);
    try {
      const dispatches = portions.map(({ start, end, split }) => {
        const part = portionShapes(kernel.inputs, shapes, { start, end, split });
        return this.#dispatchOf(kernel, { inputs, shapes: part, start, split, output, options, run });
      });
      return { output, dispatches };
    } catch (error) {
      this.#residents.release(output);
      throw error;
    }
  }

  #dispatchOf(kernel: AnyKernel, job: Job): Dispatch {
    const { inputs, shapes, start, split, output, options, run } = job;
    const plan = kernel.plan(shapes, options);
    const bind = (resident: Resident, shape: Shape, isSplit: boolean): Binding => {
      const bytes = bytesOf(shape);
      return { block: this.#residents.blockOf(resident), offset: isSplit ? start * (bytes / shape[0]) : 0, bytes };
    };
    const bindings = kernel.inputs.map((name: string) => bind(inputs[name], shapes[name], split.includes(name)));
    return {
      program: this.#programs.of(kernel, run),
      bindings: [...bindings, bind(output, plan.output, split.length > 0)],
      uniforms: packUniforms(kernel, plan.uniforms),
      workgroups: foldGrid(plan.workgroups, this.#limits.workgroups, run),
      run,
    };
  }
}

/** A run, or a portion of one that begins at row `start` of the output and of the inputs named in `split`. */
interface Job {
  readonly inputs: Named<string, Resident>;
  readonly shapes: Named<string, Shape>;
  readonly start: number;
  readonly split: readonly string[];
  readonly output: Resident;
  readonly options: unknown;
  readonly run: string;
}
