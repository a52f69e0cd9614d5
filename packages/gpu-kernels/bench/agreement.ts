import { type Engine, mapNamed, type Shape } from '../src/index.ts';
import { errorOf, referenceOf } from '../test/support/agreement.ts';
import type { Subject } from './stopwatch.ts';

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
