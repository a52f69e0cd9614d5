import type { Plan } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { requireRank, workgroupsFor } from './shapes.ts';
import { placeWindows, requireNarrowPads, type Window } from './window.ts';

/** Uniforms of a max pooling and of its gradient: image N×C×height×width, windows rows×columns. */
export const poolingUniforms = {
  count: 'u32',
  height: 'u32',
  width: 'u32',
  rows: 'u32',
  columns: 'u32',
  kernelHeight: 'u32',
  kernelWidth: 'u32',
  strideY: 'u32',
  strideX: 'u32',
  padTop: 'u32',
  padLeft: 'u32',
  dilationY: 'u32',
  dilationX: 'u32',
} as const;

export type PoolingUniform = keyof typeof poolingUniforms;

/** Plans the way forward: the output is N×C×rows×columns. @throws ShapeError, RangeError */
export function planPooling(where: string, image: Shape, window: Window): Plan<PoolingUniform> {
  requireRank(where, 'an image', image, 'batch×channels×height×width');
  requireNarrowPads(where, window);
  const [batch, channels, height, width] = image;
  const [rows, columns] = placeWindows(where, [height, width], window).size;
  const output = [batch, channels, rows, columns];
  const count = sizeOf(output);
  const { kernel, strides, pads, dilations } = window;
  const uniforms = {
    count,
    height,
    width,
    rows,
    columns,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pads[0],
    padLeft: pads[1],
    dilationY: dilations[0],
    dilationX: dilations[1],
  };
  return { output, uniforms, workgroups: workgroupsFor(count) };
}

/** The same plan for the way back: the output is the image. */
export function planPoolingBack(plan: Plan<PoolingUniform>, image: Shape): Plan<PoolingUniform> {
  const count = sizeOf(image);
  return { output: image, uniforms: { ...plan.uniforms, count }, workgroups: workgroupsFor(count) };
}

/** Every channel of every image as an image of its own: N×C×H×W → (N·C)×1×H×W. */
export function splitChannels(trace: OnnxTrace, input: string, shape: Shape): string {
  return trace.reshape(input, [-1, 1, shape[2], shape[3]]);
}

/** The way back from `splitChannels`. */
export function joinChannels(trace: OnnxTrace, input: string, shape: Shape): string {
  return trace.reshape(input, [-1, shape[1], shape[2], shape[3]]);
}

/** Pads of an ONNX Pad node that add the window's pads and the rows its last windows reach beyond them. */
export function paddingOf({ pads }: Pick<Window, 'pads'>, overhang: readonly [number, number]): readonly number[] {
  return [0, 0, pads[0], pads[1], 0, 0, pads[2] + overhang[0], pads[3] + overhang[1]];
}
