import type { BlockSource } from '../buffer-pool.ts';
import type { Resident } from '../engine.ts';
import type { AnyKernel, Kernel, Named } from '../kernel.ts';
import { mapNamed } from '../named.ts';
import { planRun } from '../plan-run.ts';
import { type Shape, type Tensor, tensor } from '../tensor.ts';
import type { MemoryUse, WebgpuEngine, WebgpuEngineOptions } from '../webgpu-engine.ts';
import { Checks } from './checks.ts';
import { type Binding, Commands, type Dispatch } from './commands.ts';
import { devicePool } from './device-pool.ts';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from './flags.ts';
import { foldGrid } from './grid.ts';
import { Life } from './life.ts';
import { firstFailure } from './outcome.ts';
import { bytesOf, cutIntoPortions, portionShapes } from './portions.ts';
import { Programs } from './programs.ts';
import { Residents } from './residents.ts';
import { Stopwatch, type Timing } from './stopwatch.ts';
import { packUniforms } from './uniforms.ts';

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
    const beforeDestroy = () => this.#commands.letGo();
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
    return { ...this.#memory.memory(), readBack: used + pooled, upload: this.#commands.stagingBytes };
  }

  submit(): void {
    this.#life.require();
    this.#commands.submit();
  }

  async finished(): Promise<void> {
    this.submit();
    await this.#life.wait(this.#device.queue.onSubmittedWorkDone());
    await this.#life.wait(this.#checks.settle());
  }

  trim(): void {
    this.#memory.trim();
    this.#readBacks.trim();
    this.#commands.trim();
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
