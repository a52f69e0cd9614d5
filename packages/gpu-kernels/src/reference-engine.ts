import type { Engine, Resident } from './engine.ts';
import type { Kernel, Named } from './kernel.ts';
import { mapNamed } from './named.ts';
import { planRun } from './plan-run.ts';
import { sizeOf, type Tensor } from './tensor.ts';

/**
 * Runs every kernel by its reference loops: the meaning of the others, for tests and small maps. Residents are the
 * tensors themselves.
 */
export function referenceEngine(): Engine {
  return {
    name: 'reference',
    upload: (source) => source,
    run: runReference,
    download: async (source) => asTensor(source),
    release: () => {}, // the garbage collector's work
    scope: (work) => work(),
  };
}

/**
 * Runs one kernel on tensors by its reference loops.
 *
 * @throws ShapeError or RangeError from its plan, and where a tensor would hold no number
 */
export function compute<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  inputs: Named<In, Tensor>,
  options: O,
): Tensor {
  return runReference(kernel, inputs, options);
}

function runReference<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  inputs: Named<In, Resident>,
  options: O,
): Tensor {
  const tensors = mapNamed(kernel.inputs, (name) => asTensor(inputs[name]));
  const plan = planRun(
    kernel,
    mapNamed(kernel.inputs, (name) => tensors[name].shape),
    options,
  );
  const output = new Float32Array(sizeOf(plan.output));
  kernel.reference(
    mapNamed(kernel.inputs, (name) => tensors[name].data),
    plan.uniforms,
    output,
  );
  return { data: output, shape: plan.output };
}

function asTensor(resident: Resident): Tensor {
  if ('data' in resident) return resident as Tensor; // this engine's residents are the tensors it was given or made
  throw new TypeError('referenceEngine was given a resident of another engine; download it there and upload it here.');
}
