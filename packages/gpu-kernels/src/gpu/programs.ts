import { KernelError } from '../errors.ts';
import type { AnyKernel, Variant } from '../kernel.ts';
import type { Checks } from './checks.ts';
import { STAGE_COMPUTE } from './flags.ts';
import type { Outcome } from './outcome.ts';

/** A compiled program with the layout of its bindings: the inputs in their order, the output, the uniforms. */
export interface Program {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroupLayout;
  /** How compiling it went. */
  readonly outcome: Outcome;
}

/** Compiles kernels, once for each program and constants. */
export class Programs {
  readonly #device: GPUDevice;
  readonly #checks: Checks;
  readonly #compiled = new Map<string, Program>();
  readonly #chosen = new WeakMap<AnyKernel, Program>(); // spares the comparison of whole programs
  readonly #layouts = new Map<number, GPUBindGroupLayout>();

  constructor(device: GPUDevice, checks: Checks) {
    this.#device = device;
    this.#checks = checks;
  }

  /**
   * The program of a kernel for this device.
   *
   * @param run kernel and shapes that it is needed for, in errors
   * @throws TypeError when the kernel has none for the features of the device
   * @throws RangeError when the kernel has more inputs than the device can bind
   */
  of(kernel: AnyKernel, run: string): Program {
    const chosen = this.#chosen.get(kernel);
    if (chosen) return chosen;
    const { code, constants = {} } = chooseVariant(kernel, this.#device.features);
    const key = `${kernel.inputs.length} ${JSON.stringify(constants)} ${code}`;
    const program = this.#compiled.get(key) ?? this.#watched(kernel, { key, code, constants, run });
    this.#compiled.set(key, program);
    this.#chosen.set(kernel, program);
    return program;
  }

  #watched(kernel: AnyKernel, { key, code, constants, run }: Source): Program {
    const bindings = this.#layout(kernel);
    const { result, outcome } = this.#checks.watch(
      () => this.#compile(kernel.name, { bindings, code, constants }),
      (kind, message) => new KernelError(kind, run, `its program does not compile: ${message}`),
    );
    outcome.then((error) => {
      if (!error) return;
      this.#compiled.delete(key); // so that the next run compiles and reports it again
      this.#chosen.delete(kernel);
    });
    return { pipeline: result, bindings, outcome };
  }

  #compile(
    label: string,
    { bindings, code, constants }: Pick<Source, 'code' | 'constants'> & Pick<Program, 'bindings'>,
  ): GPUComputePipeline {
    return this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [bindings] }),
      compute: { module: this.#device.createShaderModule({ label, code }), constants },
    });
  }

  /** Bindings are listed by us: layouts that WebGPU derives leave out what a program happens not to use. */
  #layout({ name, inputs }: AnyKernel): GPUBindGroupLayout {
    const limit = this.#device.limits.maxStorageBuffersPerShaderStage;
    if (inputs.length + 1 > limit) {
      throw new RangeError(
        `${name} binds ${inputs.length + 1} tensors, but maxStorageBuffersPerShaderStage of the device is ${limit}.`,
      );
    }
    const known = this.#layouts.get(inputs.length);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({
      entries: [
        ...inputs.map((_: unknown, binding: number) => entry(binding, { type: 'read-only-storage' })),
        entry(inputs.length, { type: 'storage' }),
        entry(inputs.length + 1, { type: 'uniform', hasDynamicOffset: true }),
      ],
    });
    this.#layouts.set(inputs.length, layout);
    return layout;
  }
}

interface Source {
  readonly key: string;
  readonly code: string;
  readonly constants: NonNullable<Variant['constants']>;
  readonly run: string;
}

/** The first variant whose features are all there. @throws TypeError when there is none */
export function chooseVariant(kernel: AnyKernel, features: ReadonlySet<string>): Variant {
  if (typeof kernel.wgsl === 'string') return { features: [], code: kernel.wgsl };
  const variant = kernel.wgsl.find((each) => each.features.every((feature) => features.has(feature)));
  if (variant) return variant;
  const wanted = kernel.wgsl.map((each) => each.features.join(' and ')).join(', or ');
  throw new TypeError(`${kernel.name} has no program for this device: each needs features it lacks (${wanted}).`);
}

function entry(binding: number, buffer: GPUBufferBindingLayout): GPUBindGroupLayoutEntry {
  return { binding, visibility: STAGE_COMPUTE, buffer };
}
