import {
  type AnyKernel,
  type Conv2dHalf,
  type Conv2dLast,
  compute,
  conv2dLastDirect,
  filled,
  fromHalves,
  mapNamed,
  numpyRandom,
  packFilters,
  packFiltersHalf,
  type Resident,
  type Shape,
  sizeOf,
  type Tensor,
  type Timing,
  toHalves,
  uniformTensor,
  type WebgpuEngine,
} from '@cambium/gpu-kernels';
import type { NetworkConvolution } from './network-convolutions.ts';

/** One convolution on a device, with what its result should be: ready to try programs on. */
export interface Trial extends Disposable {
  /** Why a program cannot be used, in words; undefined where its result is right. */
  faultOf(program: AnyKernel): Promise<string | undefined>;
  /** Seconds that a run of it takes. */
  time(program: AnyKernel, timing: Timing): Promise<number>;
}

/** Largest difference that is allowed, in units of the largest number: sums in another order; results rounded to 2⁻¹¹. */
const ALLOWED = { f32: 1e-4, f16: 2e-3 } as const;

/**
 * Puts a convolution of uniform numbers on a device and computes what it should give there, in float32 with the plainest program,
 * for every image of the batch. Numbers are halves in both precisions, so that f16 differs by its rounding alone.
 *
 * @throws KernelError when there is no memory for it
 */
export async function openTrial(
  engine: WebgpuEngine,
  { tensors, options }: NetworkConvolution,
  precision: 'f32' | 'f16',
): Promise<Trial> {
  const weights = engine.upload(numbers(tensors.weights));
  const bias = engine.upload(numbers(tensors.bias));
  const expected = await expectedOf();
  const laidOut = (shape: Shape) => (precision === 'f32' ? numbers(shape) : words(shape));
  const kept = { input: engine.upload(laidOut(tensors.input)), residual: engine.upload(laidOut(tensors.residual)) };
  const packed = new Map<AnyKernel, Resident>();
  const written = [...expected.shape.slice(0, 3), expected.shape[3] / (precision === 'f32' ? 1 : 2)];
  const spoilt = filled(Number.NaN, ...written);

  async function expectedOf(): Promise<Tensor> {
    const result = engine.scope(() =>
      engine.run(
        conv2dLastDirect,
        {
          input: engine.upload(numbers(tensors.input)),
          weights: engine.run(packFilters, { weights }, { direction: 'forward' }),
          bias,
          residual: engine.upload(numbers(tensors.residual)),
        },
        options,
      ),
    );
    return engine.download(result).finally(() => engine.release(result));
  }

  function inputsFor(program: AnyKernel) {
    const usual: AnyKernel = precision === 'f32' ? packFilters : packFiltersHalf;
    const filters: AnyKernel = (program as Conv2dLast | Conv2dHalf).filters ?? usual; // one or the other, as the precision says
    const known = packed.get(filters) ?? engine.run(filters, { weights }, { direction: 'forward' });
    packed.set(filters, known);
    return { ...kept, bias, weights: known };
  }

  async function faultOf(program: AnyKernel): Promise<string | undefined> {
    try {
      const inputs = inputsFor(program);
      engine.release(engine.upload(spoilt)); // the memory that the result gets: what is not written is then seen
      const result = engine.run(program, inputs, options);
      const actual = await engine.download(result).finally(() => engine.release(result));
      const difference = differenceOf(precision === 'f32' ? actual.data : fromHalves(actual.data), expected.data);
      if (difference <= ALLOWED[precision]) return undefined;
      if (Number.isNaN(difference)) return 'leaves numbers unwritten, or makes what is not a number';
      return `differs from the reference by ${difference.toExponential(1)} of the largest number`;
    } catch (error) {
      return error instanceof Error ? error.message.split('\n')[0] : String(error);
    }
  }

  return {
    faultOf,
    time: (program, timing) => engine.time(program, inputsFor(program), options, timing),
    [Symbol.dispose]: () => engine.release(weights, bias, ...Object.values(kept), ...packed.values()),
  };
}

/**
 * Holds the program that others are held to, to plain loops on the CPU.
 *
 * @throws Error when it is wrong on this device
 */
export async function requireReference(engine: WebgpuEngine): Promise<void> {
  for (const [inputs, options] of conv2dLastDirect.samples(numpyRandom(7))) {
    const uploaded = mapNamed(conv2dLastDirect.inputs, (name) => engine.upload(inputs[name]));
    const result = engine.run(conv2dLastDirect, uploaded, options);
    const actual = await engine.download(result);
    engine.release(result, ...Object.values(uploaded));
    const difference = differenceOf(actual.data, compute(conv2dLastDirect, inputs, options).data);
    if (difference <= ALLOWED.f32) continue;
    throw new Error(
      `The reference convolution is wrong on this device, by ${difference.toExponential(1)} of the largest number; nothing was timed. Update the driver.`,
    );
  }
}

/** Largest difference in units of the largest number that is expected; NaN where a number is not finite. */
function differenceOf(actual: Float32Array, expected: Float32Array): number {
  let [worst, largest] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(actual[index] - expected[index]);
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) return worst;
    largest = Math.max(largest, Math.abs(expected[index]));
  }
  return worst / (largest || 1);
}

/** Halves in [−1, 1), drawn once; the period is no multiple of any usual row. */
const block = toHalves(uniformTensor(numpyRandom(19), [65_534]));
const opened = fromHalves(block.data);

/** The same numbers over and over. */
function numbers(shape: Shape): Tensor {
  return { data: repeated(opened, sizeOf(shape)), shape };
}

/** The numbers as words of two halves. */
function words(shape: Shape): Tensor {
  const halved = shape.with(-1, shape[shape.length - 1] / 2);
  return { data: repeated(block.data, sizeOf(halved)), shape: halved };
}

function repeated(source: Float32Array, count: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(count);
  for (let at = 0; at < count; at += source.length) data.set(source.subarray(0, count - at), at);
  return data;
}
