import { type Kernel, type Named, referenceEngine, type Tensor } from '../../src/index.ts';

const engine = referenceEngine();

/** One kernel by its reference loops. */
export function run<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  inputs: Named<In, Tensor>,
  options: O,
): Tensor {
  return engine.run(kernel, inputs, options) as Tensor; // the reference engine's residents are tensors
}
