import fc from 'fast-check';
import { expect } from 'vitest';
import { GpuEngine } from '../../src/gpu/gpu-engine.ts';
import {
  type AnyKernel,
  type Conv2dLastOptions,
  halfError,
  type MatrixConvolution,
  mapNamed,
  numpyRandom,
} from '../../src/index.ts';
import { errorOf, referenceOf } from './agreement.ts';
import { GuardedMemory } from './guarded-memory.ts';
import { type RandomRun, randomRuns } from './random-runs.ts';

/**
 * Expects of a convolution by matrices what the reference loops compute, of its samples and of random shapes, what `halfError`
 * allows of shapes with several tiles in both directions, and nothing written beside tensors.
 */
export async function expectGuardedAgreement(device: GPUDevice, convolution: MatrixConvolution): Promise<void> {
  const fitting = randomRuns('conv2dHalf').map(withFilterRows).filter(takenBy(convolution));
  await expectGuardedRuns(device, convolution, fitting);
  const memory = new GuardedMemory(device);
  using engine = new GpuEngine(device, {}, memory);
  expect(await halfError(engine, convolution)).toBeLessThan(1e-6);
  expect(await memory.overruns()).toBe(0);
}

/** The same of its samples and of these runs alone. */
export async function expectGuardedRuns(
  device: GPUDevice,
  program: AnyKernel,
  runs: fc.Arbitrary<RandomRun>,
): Promise<void> {
  const memory = new GuardedMemory(device);
  using engine = new GpuEngine(device, {}, memory);
  const expectAgreement = async ({ inputs, options }: RandomRun) => {
    const uploaded = mapNamed(program.inputs as readonly string[], (name) => engine.upload(inputs[name]));
    const actual = await engine.download(engine.run(program, uploaded, options));
    expect(errorOf(program, actual, referenceOf(program, inputs, options))).toBeLessThan(program.tolerance!);
    expect(await memory.overruns()).toBe(0);
  };
  for (const [inputs, options] of program.samples(numpyRandom(5))) await expectAgreement({ inputs, options });
  await fc.assert(fc.asyncProperty(runs, expectAgreement), { seed: 19, numRuns: 30 });
}

/** The same with weights as these programs read them: a row for each filter, not for each product. */
function withFilterRows({ inputs, options }: RandomRun): RandomRun {
  const { data, shape } = inputs.weights; // random numbers are as good in another shape
  return { inputs: { ...inputs, weights: { data, shape: [2 * shape[1], shape[0] / 2] } }, options };
}

/** Whether a program takes inputs with so many channels. */
function takenBy({ suits }: MatrixConvolution): (run: RandomRun) => boolean {
  return ({ inputs: { weights, bias }, options }) =>
    suits?.({
      pixels: 1,
      depth: 2 * weights.shape[1], // a word holds two
      channels: bias.shape[0],
      options: options as Conv2dLastOptions, // they were drawn for such a program
    }) ?? true;
}
