import { ShapeError, type Tensor, tensor } from '@cambium/gpu-kernels';

/** Mean and standard deviation of each channel, in units of pixel value / 255. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Those of ImageNet, which most classifiers were trained with. */
export const imageNet: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * Pixels as a network takes them: (u8/255 − mean)/std, every step in float32, so the numbers are those of PyTorch bit for
 * bit.
 *
 *     H×W×C bytes, channels innermost  →  1×C×H×W
 *
 * @throws ShapeError when the number of bytes is not H·W·C for the C channels of mean and std
 */
export function normalisePixels(
  pixels: Uint8Array,
  size: readonly [number, number],
  { mean, std }: Normalisation,
): Tensor {
  const [height, width] = size;
  const channels = mean.length;
  const area = height * width;
  if (pixels.length !== area * channels || std.length !== channels) {
    throw new ShapeError(
      'normalisePixels',
      `${height}×${width}×${channels} bytes and ${channels} deviations`,
      `${pixels.length} bytes and ${std.length} deviations`,
    );
  }
  const output = new Float32Array(area * channels);
  for (let channel = 0; channel < channels; channel++) {
    const table = levels(mean[channel], std[channel]);
    for (let pixel = 0; pixel < area; pixel++)
      output[channel * area + pixel] = table[pixels[pixel * channels + channel]];
  }
  return tensor(output, [1, channels, height, width]);
}

/** The normalised value of each of the 256 levels. */
function levels(mean: number, std: number): Float32Array {
  const [centre, spread] = [Math.fround(mean), Math.fround(std)];
  return Float32Array.from({ length: 256 }, (_, level) =>
    Math.fround(Math.fround(Math.fround(level / 255) - centre) / spread),
  );
}
