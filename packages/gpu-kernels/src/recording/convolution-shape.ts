import type { Conv2dLastOptions } from '../channels-last/conv2d-last-plan.ts';
import { paddedChannels } from '../channels-last/layout.ts';
import { type Pair, placeWindows } from '../kernels/window.ts';
import type { Shape } from '../tensor.ts';

/** A convolution as the product of matrices that it is: pixels×depth times depth×channels. */
export interface ConvolutionShape {
  readonly pixels: number;
  readonly depth: number;
  readonly channels: number;
  /** Its window, and whether it is a way back: some programs compute some windows only (`suits`). */
  readonly options: Conv2dLastOptions;
  /** Columns of the images that it reads; some programs read them two at a time (`suits`). */
  readonly width?: number;
}

/** The product of matrices that a convolution of N×C×H×W, or its way back, is. */
export function convolutionShape(
  [batch, , height, width]: Shape,
  weights: Shape,
  options: Conv2dLastOptions,
): ConvolutionShape {
  const { kernel, back } = options;
  const [rows, columns]: Pair = back ?? placeWindows('channelsLast', [height, width], options).size;
  const [read, written] = back ? weights : [weights[1], weights[0]];
  return {
    pixels: batch * rows * columns,
    depth: kernel[0] * kernel[1] * paddedChannels(read),
    channels: paddedChannels(written),
    options,
    width,
  };
}
