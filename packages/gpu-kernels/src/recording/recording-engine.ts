import type { Engine, Resident } from '../engine.ts';
import type { AnyKernel, Kernel, Named } from '../kernel.ts';
import { mapNamed } from '../named.ts';
import { planRun } from '../plan-run.ts';
import type { Shape, Tensor } from '../tensor.ts';

/** A value of a recording: an input, a constant, or what a step makes. */
export interface RecordedValue extends Resident {
  /** The numbers, where they are known when it is recorded. */
  readonly constant?: Tensor;
}

/** One run of a kernel, written down. */
export interface RecordedStep {
  readonly kernel: AnyKernel;
  readonly inputs: Named<string, RecordedValue>;
  readonly options: unknown;
  readonly output: RecordedValue;
}

/** An engine that computes nothing: running a kernel writes down that it is to be run. */
export interface RecordingEngine extends Engine {
  readonly steps: readonly RecordedStep[];
  /** A value that is handed in when the recording is run. */
  value(shape: Shape): RecordedValue;
  run<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): RecordedValue;
  upload(source: Tensor): RecordedValue;
}

/**
 * Opens an engine that records runs, so that they can be looked at and rearranged as a whole before an engine runs them.
 *
 * What is uploaded becomes a constant of the recording. Shapes are checked as on any engine.
 */
export function recordingEngine(): RecordingEngine {
  const steps: RecordedStep[] = [];
  const own = new WeakSet<Resident>();

  function made(value: RecordedValue): RecordedValue {
    own.add(value);
    return value;
  }

  function run<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): RecordedValue {
    const values = mapNamed(kernel.inputs, (name) => {
      if (own.has(inputs[name])) return inputs[name];
      throw new TypeError('recordingEngine was given a resident of another engine; upload it here first.');
    });
    const step = stepOf(kernel, values, options);
    steps.push(step);
    return made(step.output);
  }

  return {
    name: 'recording',
    steps,
    value: (shape) => made({ shape }),
    upload: (source) => made({ shape: source.shape, constant: source }),
    run,
    download: async () => {
      throw new TypeError('A recorded value has no numbers yet: run the recording on another engine.');
    },
    release: () => {}, // a recording holds no memory
    scope: (work) => work(),
  };
}

/** A run as a step of a recording, with a new value for its output. @throws ShapeError or RangeError from the plan */
export function stepOf<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  inputs: Named<In, RecordedValue>,
  options: O,
): RecordedStep {
  const shapes = mapNamed(kernel.inputs, (name) => inputs[name].shape);
  return { kernel, inputs, options, output: { shape: planRun(kernel, shapes, options).output } };
}
