import { conv2dLast } from '../channels-last/conv2d-last.ts';
import type { Engine, Resident } from '../engine.ts';
import { numpyRandom, uniformTensor } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { conv2dHalf } from './conv2d-half.ts';
import type { Conv2dHalf } from './conv2d-half-plan.ts';
import { fromHalves, toHalves } from './half.ts';

/**
 * How far convolutions in half precision are from the same in float32 on an engine: the largest normalised mean squared error of
 * a product of matrices (1×1), of a 3×3 convolution with shortcut and ReLU, and of one in which nothing is the same up and across:
 * image, window, stride, dilation and pads, in which 20 channels leave every stretch of 16 products unfinished. Below 1e-6 where the
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
  const cases = [
    { image: [9, 9, 32], kernel: [1, 1], pads: [0, 0, 0, 0], ...around },
    { image: [9, 9, 32], kernel: [3, 3], pads: [1, 1, 1, 1], relu: true, ...around },
    { image: [13, 8, 20], kernel: [3, 2], pads: [3, 1, 2, 0], strides: [2, 1], dilations: [1, 3] },
  ] as const;
  const errors: number[] = [];
  for (const { image, ...options } of cases) {
    const weights = [options.kernel[0] * options.kernel[1] * image[2], FILTERS];
    const shapes = { input: [2, ...image], weights, bias: [FILTERS], residual: [FILTERS] };
    const inputs = {
      input: uniformTensor(random, shapes.input),
      weights: uniformTensor(random, weights),
      bias: uniformTensor(random, shapes.bias),
      residual: uniformTensor(random, conv2dLast.plan(shapes, options).output),
    };
    const halves = {
      ...inputs,
      input: toHalves(inputs.input),
      weights: toHalves(inputs.weights),
      residual: toHalves(inputs.residual),
    };
    const rounded = {
      ...inputs,
      input: opened(halves.input),
      weights: opened(halves.weights),
      residual: opened(halves.residual),
    };
    const actual = await computed(engine, (own) => engine.run(program, own, options), halves);
    const expected = await computed(engine, (own) => engine.run(conv2dLast, own, options), rounded);
    errors.push(normalisedError(fromHalves(actual.data), expected.data));
  }
  return Math.max(...errors);
}

/** More than one tile of every program, and not a multiple of any. */
const FILTERS = 144;

type Inputs = { readonly [name in 'input' | 'weights' | 'bias' | 'residual']: Tensor };
type Residents = { readonly [name in keyof Inputs]: Resident };

async function computed(engine: Engine, run: (inputs: Residents) => Resident, inputs: Inputs): Promise<Tensor> {
  const result = engine.scope(() =>
    run({
      input: engine.upload(inputs.input),
      weights: engine.upload(inputs.weights),
      bias: engine.upload(inputs.bias),
      residual: engine.upload(inputs.residual),
    }),
  );
  return engine.download(result).finally(() => engine.release(result));
}

function opened({ data, shape }: Tensor): Tensor {
  return { data: fromHalves(data), shape: shape.with(-1, 2 * shape[shape.length - 1]) };
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
