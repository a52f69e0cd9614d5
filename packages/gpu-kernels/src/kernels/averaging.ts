import type { Named, Plan } from '../kernel.ts';
import type { Shape } from '../tensor.ts';
import { planPooling } from './pooling.ts';
import { type Pair, placeWindows, type Window } from './window.ts';

export interface AveragePoolOptions {
  readonly kernel: Pair;
  readonly strides: Pair;
  /** Rows and columns put around the image: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  /** Keep a last window that reaches past the padding, if it begins before that. */
  readonly ceilMode: boolean;
  /** Divide by the places inside image and padding instead of those inside the image. */
  readonly countIncludePad: boolean;
}

/** Uniforms of an average pooling and of its gradient; the counted area is the image, with or without its padding. */
export const averagingUniforms = {
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
  countedTop: 'u32',
  countedLeft: 'u32',
  countedHeight: 'u32',
  countedWidth: 'u32',
} as const;

export type AveragingUniform = keyof typeof averagingUniforms;

/** Plans the way forward: the output is N×C×rows×columns. @throws ShapeError, RangeError */
export function planAveraging(where: string, image: Shape, options: AveragePoolOptions): Plan<AveragingUniform> {
  const plan = planPooling(where, image, windowOf(options));
  const { dilationY: _y, dilationX: _x, ...fields } = plan.uniforms;
  const [top, left, bottom, right] = options.countIncludePad ? options.pads : [0, 0, 0, 0];
  const counted = {
    countedTop: top,
    countedLeft: left,
    countedHeight: image[2] + top + bottom,
    countedWidth: image[3] + left + right,
  };
  return { ...plan, uniforms: { ...fields, ...counted } };
}

export function windowOf({ kernel, strides, pads, ceilMode }: AveragePoolOptions): Window {
  return { kernel, strides, pads, ceilMode, dilations: [1, 1] };
}

/** How many places of a window are counted: what its sum is divided by. */
export function placesCounted(row: number, column: number, u: Named<AveragingUniform, number>): number {
  const top = row * u.strideY - u.padTop + u.countedTop;
  const left = column * u.strideX - u.padLeft + u.countedLeft;
  const vertical = Math.min(top + u.kernelHeight, u.countedHeight) - Math.max(top, 0);
  const horizontal = Math.min(left + u.kernelWidth, u.countedWidth) - Math.max(left, 0);
  return vertical * horizontal;
}

/** True where one window without padding covers the whole image: global average pooling. */
export function isGlobal([, , height, width]: Shape, { kernel, pads }: AveragePoolOptions): boolean {
  return kernel[0] === height && kernel[1] === width && pads.every((pad) => pad === 0);
}

/** How far the last windows reach past the padded image. */
export function overhangOf([, , height, width]: Shape, options: AveragePoolOptions): Pair {
  return placeWindows('averagePool', [height, width], windowOf(options)).overhang;
}

/** One number for each window, rows×columns. */
export function perWindow(
  u: Named<AveragingUniform, number>,
  of: (row: number, column: number) => number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: u.rows * u.columns }, (_, index) =>
    of(Math.floor(index / u.columns), index % u.columns),
  );
}
