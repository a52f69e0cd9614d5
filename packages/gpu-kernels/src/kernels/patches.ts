import type { OnnxTrace } from '../onnx-trace.ts';
import type { Shape } from '../tensor.ts';
import { paddingOf, splitChannels } from './pooling.ts';
import { placeWindows, type Window } from './window.ts';

/** The lowest float32 that every ONNX reader parses alike: what stands outside an image where a maximum is taken. */
export const lowest = -3.4e38;

/**
 * Writes down nodes that lay out what each window sees, one channel for each of its places in row-major order.
 *
 *     N×C×H×W  →  (N·C)×(kh·kw)×h×w
 *
 * A convolution with kernels of a single 1 copies numbers exactly, for they are only added to zeros.
 */
export function tracePatches(trace: OnnxTrace, input: string, shape: Shape, window: Window): string {
  const { overhang } = placeWindows('patches', [shape[2], shape[3]], window);
  const padding = paddingOf(window, overhang);
  const images = splitChannels(trace, input, shape);
  const padded = padding.some((pad) => pad > 0) ? trace.pad(images, padding, lowest) : images;
  return trace.node('Conv', [padded, oneHotKernels(trace, window)], {
    kernel_shape: { ints: window.kernel },
    strides: { ints: window.strides },
    dilations: { ints: window.dilations },
  });
}

/** (kh·kw)×1×kh×kw: kernel number p has a 1 at place p. */
export function oneHotKernels(trace: OnnxTrace, { kernel: [height, width] }: Pick<Window, 'kernel'>): string {
  const places = height * width;
  const kernels = new Float32Array(places * places);
  for (let place = 0; place < places; place++) kernels[place * places + place] = 1;
  return trace.floats(kernels, [places, 1, height, width]);
}
