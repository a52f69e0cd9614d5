import {
  type AnyKernel,
  type Engine,
  mapNamed,
  type Named,
  type Shape,
  type Tensor,
  type Timing,
  type WebgpuEngine,
} from '../src/index.ts';
import { errorOf, referenceOf } from '../test/support/agreement.ts';

/** What is timed. */
export interface Subject {
  readonly kernel: AnyKernel;
  readonly inputs: Named<string, Tensor>;
  readonly options: unknown;
}

/** Seconds that the GPU takes for a run. */
export async function timeOf(
  engine: WebgpuEngine,
  { kernel, inputs, options }: Subject,
  timing: Timing,
): Promise<number> {
  const uploaded = mapNamed(kernel.inputs, (name) => engine.upload(inputs[name]));
  const seconds = engine.time(kernel, uploaded, options, timing);
  return seconds.finally(() => engine.release(...Object.values(uploaded)));
}

/** How well an engine's result fits that of the reference loops. */
export interface Agreement {
  /** Normalised mean squared error. */
  readonly error: number;
  readonly output: Shape;
}

/**
 * Compares an engine with the reference loops: a benchmark of wrong numbers is worth nothing.
 *
 * @throws Error when the error is larger than the kernel's tolerance
 */
export async function requireAgreement(engine: Engine, { kernel, inputs, options }: Subject): Promise<Agreement> {
  const uploaded = mapNamed(kernel.inputs, (name) => engine.upload(inputs[name]));
  const result = engine.run(kernel, uploaded, options);
  const actual = await engine.download(result);
  engine.release(result, ...Object.values(uploaded));
  const expected = referenceOf(kernel, inputs, options);
  const error = errorOf(kernel, actual, expected);
  const tolerance = kernel.tolerance ?? 1e-7;
  if (error <= tolerance) return { error, output: expected.shape };
  throw new Error(
    `${kernel.name} is wrong on this GPU and was not timed: its error is ${error}, at most ${tolerance} is allowed.`,
  );
}
