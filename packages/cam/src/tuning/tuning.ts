import type { ConvolutionShape } from '@cambium/gpu-kernels';

/** Which programs won on a device: plain data, to be kept and given to `webgpuClassifier` on the same device. */
export interface Tuning {
  readonly convolutions: readonly TunedConvolution[];
}

/** The winner among the programs that compute one convolution. */
export interface TunedConvolution {
  readonly precision: 'f32' | 'f16';
  readonly shape: ConvolutionShape;
  /** Name of a program; one that is not there is passed over. */
  readonly winner: string;
}

/** How many times as many pixels, or as few, a shape may have and still be served by a tuned one. */
const NEAR = 2;

/**
 * The name of the program that won for a shape. Where the shape itself was not tuned, that of the same convolution with the
 * nearest number of pixels, up to twice or half as many: a last batch is shorter than the others.
 *
 * @returns undefined where nothing near was tuned
 */
export function winnerFor(
  precision: TunedConvolution['precision'],
  shape: ConvolutionShape,
  tuning: Tuning | undefined,
): string | undefined {
  const form = formOf({ precision, shape });
  const distance = (tuned: TunedConvolution) => Math.abs(Math.log(tuned.shape.pixels / shape.pixels));
  const [nearest] = (tuning?.convolutions ?? [])
    .filter((tuned) => formOf(tuned) === form && distance(tuned) <= Math.log(NEAR))
    .sort((a, b) => distance(a) - distance(b));
  return nearest?.winner;
}

/** The convolutions of two tunings; where both know a shape, the later one holds. */
export function mergeTunings<Tuned extends TunedConvolution>(
  earlier: readonly Tuned[],
  later: readonly Tuned[],
): readonly Tuned[] {
  const known = new Set(later.map(keyOf));
  return [...earlier.filter((tuned) => !known.has(keyOf(tuned))), ...later];
}

type Asked = Pick<TunedConvolution, 'precision' | 'shape'>;

/** Equal for equal shapes. */
export function keyOf(asked: Asked): string {
  return `${asked.shape.pixels} ${formOf(asked)}`;
}

/** All of a shape that a program's speed depends on, but its number of pixels. */
function formOf({ precision, shape: { depth, channels, options } }: Asked): string {
  const { kernel, strides, dilations, back } = options;
  return JSON.stringify([precision, depth, channels, kernel, strides, dilations, back !== undefined]);
}
