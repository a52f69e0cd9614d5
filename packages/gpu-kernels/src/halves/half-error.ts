import { conv2dLast } from '../channels-last/conv2d-last.ts';
import { packFilters } from '../channels-last/pack-filters.ts';
import type { Engine, Resident } from '../engine.ts';
import { mapNamed } from '../named.ts';
import { numpyRandom, uniformTensor } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { conv2dHalf } from './conv2d-half.ts';
import type { Conv2dHalf } from './conv2d-half-plan.ts';
import { fromHalves, halfBits, halfValue, toHalves } from './half.ts';
import { packFiltersHalf } from './pack-filters-half.ts';

/**
 * How far convolutions in half precision are from the same in float32 on an engine: the largest normalised mean squared error of
 * a product of matrices (1×1), of a 3×3 convolution with shortcut and ReLU, and of one in which nothing is the same up and across:
 * image, window, stride, dilation and pads, in which 20 channels, or 24, leave the last stretch of 16 products unfinished. Below 1e-6 where the
 * device computes right, for halves are good to 2⁻¹¹.
 *
 * Inputs are the same halves for both, so only sums and the rounding of results differ. To be asked before a device is
 * trusted with half precision: drivers have got it wrong.
 *
 * @param program that is held to float32; `conv2dHalf` unless said
 */
export async function halfError(engine: Engine, program: Conv2dHalf = conv2dHalf): Promise<number> {
  const random = numpyRandom(16);
  const around = { strides: [1, 1], dilations: [1, 1] } as const;
  const uneven = { kernel: [3, 2], pads: [3, 1, 2, 0], strides: [2, 1], dilations: [1, 3] } as const;
  const suits = program.suits?.({ pixels: 1, depth: 6 * 20, channels: FILTERS, options: uneven }) ?? true;
  const cases = [
    { image: [9, 9, 32], kernel: [1, 1], pads: [0, 0, 0, 0], ...around },
    { image: [9, 9, 32], kernel: [3, 3], pads: [1, 1, 1, 1], relu: true, ...around },
    { image: [13, 8, suits ? 20 : 24], ...uneven },
  ] as const;
  const errors: number[] = [];
  for (const { image, ...options } of cases) {
    const depth = options.kernel[0] * options.kernel[1] * image[2];
    const shapes = { input: [2, ...image], weights: [depth, FILTERS], bias: [FILTERS], residual: [FILTERS] };
    const input = halved(uniformTensor(random, shapes.input));
    const weights = rounded(uniformTensor(random, [FILTERS, image[2], ...options.kernel]));
    const bias = uniformTensor(random, shapes.bias);
    const residual = halved(uniformTensor(random, conv2dLast.plan(shapes, options).output));
    const actual = await computed(engine, { input: input.words, weights, bias, residual: residual.words }, (own) => {
      const packed = engine.run(program.filters ?? packFiltersHalf, { weights: own.weights }, undefined);
      return engine.run(program, { ...own, weights: packed }, options);
    });
    const expected = await computed(
      engine,
      { input: input.numbers, weights, bias, residual: residual.numbers },
      (own) => {
        const packed = engine.run(packFilters, { weights: own.weights }, { direction: 'forward' });
        return engine.run(conv2dLast, { ...own, weights: packed }, options);
      },
    );
    errors.push(normalisedError(fromHalves(actual.data), expected.data));
  }
  return Math.max(...errors);
}

/** More than one tile of every program, and not a multiple of any. */
const FILTERS = 144;

type Inputs = { readonly [name in 'input' | 'weights' | 'bias' | 'residual']: Tensor };
type Residents = { readonly [name in keyof Inputs]: Resident };

async function computed(engine: Engine, inputs: Inputs, run: (inputs: Residents) => Resident): Promise<Tensor> {
  const result = engine.scope(() => run(mapNamed(conv2dLast.inputs, (name) => engine.upload(inputs[name]))));
  return engine.download(result).finally(() => engine.release(result));
}

/** Halves nearest to numbers, as words and as numbers. */
function halved(tensor: Tensor): { readonly words: Tensor; readonly numbers: Tensor } {
  const words = toHalves(tensor);
  return { words, numbers: { data: fromHalves(words.data), shape: tensor.shape } };
}

/** The same of a tensor of any shape, as numbers. */
function rounded({ data, shape }: Tensor): Tensor {
  return { data: data.map((value) => halfValue(halfBits(value))), shape };
}

/** Σ(a − b)² / Σb², infinite where a number is not finite. */
function normalisedError(actual: Float32Array, expected: Float32Array): number {
  let [squared, scale] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    squared += (actual[index] - expected[index]) ** 2;
    scale += expected[index] ** 2;
  }
  return Number.isFinite(squared) ? squared / scale : Number.POSITIVE_INFINITY;
}
