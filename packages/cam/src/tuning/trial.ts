import {
  type AnyKernel,
  type Conv2dHalf,
  type Conv2dLast,
  compute,
  conv2dLastDirect,
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
  tensor,
  toHalves,
  uniformTensor,
  type WebgpuEngine,
  zeros,
} from '@cambium/gpu-kernels';
import type { NetworkConvolution } from './network-convolutions.ts';
import { differences, differencesOfHalves, IMAGE, repeated } from './trial-kernels.ts';

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
  const [images] = tensors.input;
  const laidOut = imagesOf(engine, precision, images);
  const expected = expectedOf();
  const kept = { input: laidOut(tensors.input), residual: laidOut(tensors.residual) };
  const packed = new Map<AnyKernel, Resident>();
  const spoiling = { block: engine.upload(notANumber), starts: engine.upload(zeros(images, 1)) };

  function expectedOf(): Resident {
    const numbered = imagesOf(engine, 'f32', images);
    return engine.scope(() =>
      engine.run(
        conv2dLastDirect,
        {
          input: numbered(tensors.input),
          weights: engine.run(packFilters, { weights }, { direction: 'forward' }),
          bias,
          residual: numbered(tensors.residual),
        },
        options,
      ),
    );
  }

  function inputsFor(program: AnyKernel) {
    const usual: AnyKernel = precision === 'f32' ? packFilters : packFiltersHalf;
    const filters: AnyKernel = (program as Conv2dLast | Conv2dHalf).filters ?? usual; // one or the other, as the precision says
    const known = packed.get(filters) ?? engine.run(filters, { weights }, { direction: 'forward' });
    packed.set(filters, known);
    return { ...kept, bias, weights: known };
  }

  /** The memory that the next result gets holds nothing but what is not a number: what is not written is then seen. */
  function spoil(): void {
    const [...shape] = expected.shape;
    if (precision === 'f16') shape[shape.length - 1] /= 2;
    engine.release(engine.run(repeated, spoiling, { shape }));
  }

  async function faultOf(program: AnyKernel): Promise<string | undefined> {
    try {
      const inputs = inputsFor(program);
      spoil();
      const compared = engine.scope(() => {
        const actual = engine.run(program, inputs, options);
        return engine.run(precision === 'f32' ? differences : differencesOfHalves, { actual, expected }, undefined);
      });
      const { data } = await engine.download(compared).finally(() => engine.release(compared));
      const largest = (what: number) =>
        data.reduce((most, value, at) => (at % IMAGE === what ? Math.max(most, value) : most), 0);
      if (largest(2) > 0) return 'leaves numbers unwritten, or makes what is not a number';
      const difference = largest(0) / (largest(1) || 1);
      if (difference <= ALLOWED[precision]) return undefined;
      return `differs from the reference by ${difference.toExponential(1)} of the largest number`;
    } catch (error) {
      return error instanceof Error ? error.message.split('\n')[0] : String(error);
    }
  }

  return {
    faultOf,
    time: (program, timing) => engine.time(program, inputsFor(program), options, timing),
    [Symbol.dispose]() {
      engine.release(weights, bias, expected, ...Object.values(kept), ...Object.values(spoiling), ...packed.values());
    },
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

/** One that is not a number, whether it is read as a float32 or as two halves. */
const notANumber: Tensor = { data: new Float32Array(Uint32Array.of(0x7fff7fff).buffer), shape: [1] };

/** The same numbers over and over. */
function numbers(shape: Shape): Tensor {
  const data = new Float32Array(sizeOf(shape));
  for (let at = 0; at < data.length; at += opened.length) data.set(opened.subarray(0, data.length - at), at);
  return { data, shape };
}

/** Puts the same numbers over and over on a device, each image from another on, or one row of them; in f16 in words of two. */
function imagesOf(engine: WebgpuEngine, precision: 'f32' | 'f16', images: number): (shape: Shape) => Resident {
  const inAWord = precision === 'f32' ? 1 : 2;
  const words = precision === 'f32' ? { data: opened, shape: [opened.length] } : block;
  const starts = Float32Array.from({ length: images }, (_, image) => ((2 * STEP * image) % opened.length) / inAWord);
  return (shape) => {
    const inWords = shape.with(-1, shape[shape.length - 1] / inAWord);
    if (shape.length === 1) return engine.upload(precision === 'f32' ? numbers(shape) : toHalves(numbers(shape)));
    return engine.scope(() => {
      const inputs = { block: engine.upload(words), starts: engine.upload(tensor(starts, [images, 1])) };
      return engine.run(repeated, inputs, { shape: inWords });
    });
  };
}

/** Pairs of numbers between the beginnings of two images. */
const STEP = 7919;
