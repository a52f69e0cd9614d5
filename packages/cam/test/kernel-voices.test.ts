import {
  type AnyKernel,
  type KernelName,
  kernels,
  mapNamed,
  type Named,
  numpyRandom,
  onnxEngine,
  type Shape,
  stack,
  type Tensor,
} from '@cambium/gpu-kernels';
import fc from 'fast-check';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { normalisedError, referenceOf } from '../../gpu-kernels/test/support/agreement.ts';
import { randomRuns } from '../../gpu-kernels/test/support/random-runs.ts';
import { writeTrace } from '../src/onnx/write.ts';

// The ONNX form of every kernel, run by ONNX Runtime, is held to the kernel's reference loops at the ends of the range of
// opsets and where operators changed in between, and the same model to a batch of another length.
const opsets = [7, 9, 10, 11, 13, 18, 22];

type Sample = readonly [inputs: Named<string, Tensor>, options: unknown];

/** Kernels of halves have no ONNX form: two halves in the memory of a float32 are nothing that ONNX knows. */
type VoicedName = Exclude<KernelName, `${string}Half`>;
const names = (Object.keys(kernels) as KernelName[]).filter((name): name is VoicedName => {
  const kernel: AnyKernel = kernels[name];
  return kernel.onnx !== undefined;
});

/** Which inputs of a kernel grow with the batch; element-wise kernels: those that span the output's first axis. */
const batched = {
  add: 'broadcast',
  averagePool: ['input'],
  averagePoolBackward: ['gradient'],
  channelMeans: ['input'],
  channelMeansLast: ['input'],
  concatAxis: ['left', 'right'],
  conv2d: ['input'],
  conv2dLast: ['input', 'residual'],
  conv2dLastDirect: ['input', 'residual'],
  conv2dWinograd: ['input', 'residual'],
  depthwiseLast: ['input', 'residual'],
  groupedLast: ['input', 'residual'],
  averagePoolLast: ['input'],
  packDepthwise: [],
  conv2dFused: ['input', 'residual'],
  conv2dTranspose: ['input'],
  divide: 'broadcast',
  fillRegions: ['steps'],
  guardedDivide: 'broadcast',
  keepNonZero: 'broadcast',
  maskImages: ['activations'],
  maskImagesLast: ['activations'],
  matmul: ['left'],
  maxPool: ['input'],
  maxPoolLast: ['input'],
  maxPoolBackward: ['gradient', 'input', 'output'],
  minMax: ['input'],
  multiply: 'broadcast',
  negativePart: ['input'],
  packFilters: [],
  packFiltersWinograd: [],
  packLast: ['input'],
  padAxis: ['input'],
  positivePart: ['input'],
  rectifierGradient: ['gradient', 'input'],
  rectify: ['input'],
  replacePixels: ['ranges'],
  reshape: ['input'],
  sigmoid: ['input'],
  sliceAxis: ['input'],
  softmax: ['input'],
  stabilisedDivide: 'broadcast',
  subtract: 'broadcast',
  sumAxes: ['input'],
  translate: ['shifts'],
  transpose: ['input'],
  unpackLast: ['input'],
  upsampleBilinear: ['input'],
  weightedSum: ['weights', 'activations'],
} satisfies Record<VoicedName, readonly string[] | 'broadcast'>;

describe.each(names)('%s', (name) => {
  const kernel: AnyKernel = kernels[name];
  const samples: readonly Sample[] = kernel.samples(numpyRandom(7));
  const tolerance = kernel.tolerance ?? 1e-7;

  test.each(opsets)('says the same in ONNX at opset %i, for a batch of any length', async (opset) => {
    for (const sample of samples) {
      const growing = growingInputs(name, kernel, sample);
      const session = await trace(kernel, opset, sample, growing);
      for (const [inputs, options] of [sample, doubled(sample, growing)]) {
        const expected = referenceOf(kernel, inputs, options);
        const actual = await run(session, kernel, inputs);
        expect(actual.shape).toEqual(expected.shape);
        expect(normalisedError(actual.data, expected.data)).toBeLessThanOrEqual(tolerance);
      }
      await session.release();
    }
  });

  test('says the same in ONNX on random shapes', async () => {
    const property = fc.asyncProperty(
      randomRuns(name),
      fc.constantFrom(...opsets),
      async ({ inputs, options }, opset) => {
        const session = await trace(kernel, opset, [inputs, options], []);
        const actual = await run(session, kernel, inputs);
        await session.release();
        const expected = referenceOf(kernel, inputs, options);
        expect(actual.shape).toEqual(expected.shape);
        expect(normalisedError(actual.data, expected.data)).toBeLessThanOrEqual(tolerance);
      },
    );
    await fc.assert(property, { seed: 29, numRuns: 12 });
  });
});

function growingInputs(name: VoicedName, kernel: AnyKernel, [inputs, options]: Sample): readonly string[] {
  const names = batched[name];
  if (name === 'matmul' && (options as { transposeLeft?: boolean }).transposeLeft) return [];
  if (names !== 'broadcast') return names.filter((input) => inputs[input].shape.length > 1); // a row is for every batch
  const { output } = kernel.plan(shapesOf(kernel, inputs), options);
  return kernel.inputs.filter((input) => {
    const { shape } = inputs[input];
    return shape.length === output.length && shape[0] === output[0];
  });
}

/** The sample with every growing input twice in its batch. */
function doubled([inputs, options]: Sample, growing: readonly string[]): Sample {
  const twice = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, growing.includes(name) ? stack([value, value]) : value]),
  );
  return [twice, hasShape(options) ? { shape: options.shape.with(0, 2 * options.shape[0]) } : options];
}

function hasShape(options: unknown): options is { readonly shape: number[] } {
  return typeof options === 'object' && options !== null && 'shape' in options;
}

async function trace(
  kernel: AnyKernel,
  opset: number,
  [inputs, options]: Sample,
  growing: readonly string[],
): Promise<InferenceSession> {
  const engine = onnxEngine(opset);
  const values = mapNamed(kernel.inputs, (name) => engine.value(name, inputs[name].shape));
  const output = engine.nameOf(engine.run(kernel, values, options));
  const declared = kernel.inputs.map((name) => {
    const { shape } = inputs[name];
    return { name, shape: growing.includes(name) ? ['batch', ...shape.slice(1)] : shape };
  });
  // errors only: shapes that a warning speaks of are compared here
  return InferenceSession.create(writeTrace(engine.trace, declared, [output]), { logSeverityLevel: 3 });
}

async function run(session: InferenceSession, kernel: AnyKernel, inputs: Named<string, Tensor>): Promise<Tensor> {
  const feeds = mapNamed(
    kernel.inputs,
    (name) => new OrtTensor('float32', inputs[name].data, inputs[name].shape as number[]), // ORT does not change it
  );
  const result = (await session.run(feeds))[session.outputNames[0]];
  return { data: result.data as Tensor['data'], shape: result.dims }; // every kernel returns float32
}

function shapesOf(kernel: AnyKernel, inputs: Named<string, Tensor>): Named<string, Shape> {
  return mapNamed(kernel.inputs, (name) => inputs[name].shape);
}
