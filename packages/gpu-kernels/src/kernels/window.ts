import { ShapeError } from '../errors.ts';

/** A pair of numbers for the vertical and the horizontal axis, in this order. */
export type Pair = readonly [number, number];

/** A window that slides over the last two axes, as ONNX describes it. */
export interface WindowOptions {
  readonly strides: Pair;
  /** Rows and columns put around the image: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly dilations: Pair;
}

export interface ConvOptions extends WindowOptions {
  /** Channels are cut into this many groups that do not mix. */
  readonly groups: number;
}

export interface PoolOptions extends WindowOptions {
  readonly kernel: Pair;
  /** Keep a last window that reaches past the padding, if it begins before that: the output is larger by one. */
  readonly ceilMode: boolean;
}

/** A window with its size; one that reaches past the padding is dropped unless `ceilMode` says otherwise. */
export interface Window extends WindowOptions {
  readonly kernel: Pair;
  readonly ceilMode?: boolean;
}

/** Where a sliding window lands. */
export interface WindowGrid {
  /** Rows and columns of windows. */
  readonly size: Pair;
  /** How far the last window reaches past the padded image, or 0. */
  readonly overhang: Pair;
}

/**
 * Counts the windows that fit into a padded image.
 *
 *     floor((H + top + bottom − dilation·(kernel − 1) − 1) / stride) + 1, likewise for W
 *
 * @throws RangeError when a stride, dilation or kernel is not a positive integer or a pad is not a non-negative one
 * @throws ShapeError when no window fits
 * @source ONNX operators Conv and MaxPool; with `ceilMode` a window begins in the image or before it, as in PyTorch
 */
export function placeWindows(where: string, [height, width]: Pair, options: Window): WindowGrid {
  const { kernel, strides, pads, dilations } = options;
  requireIntegers(where, 'kernel, strides and dilations of at least 1', [...kernel, ...strides, ...dilations], 1);
  requireIntegers(where, 'pads of at least 0', pads, 0);
  const axes = [0, 1].map((axis) => {
    const length = axis === 0 ? height : width;
    const padded = length + pads[axis] + pads[axis + 2];
    const extent = dilations[axis] * (kernel[axis] - 1) + 1;
    if (extent > padded) {
      throw new ShapeError(
        where,
        `an image of at least ${extent} rows and columns with its pads, for the kernel`,
        `${height}×${width}`,
      );
    }
    const steps = (padded - extent) / strides[axis];
    let count = (options.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (options.ceilMode && (count - 1) * strides[axis] >= length + pads[axis]) count--;
    return { count, overhang: Math.max(0, (count - 1) * strides[axis] + extent - padded) };
  });
  return { size: [axes[0].count, axes[1].count], overhang: [axes[0].overhang, axes[1].overhang] };
}

/**
 * Pads and output padding of the ConvTranspose that spreads a grid of windows back over its image. Rows that no window
 * reads come out as zeros.
 */
export function spreadAttributes(
  grid: Pair,
  [height, width]: Pair,
  { kernel, strides, pads, dilations }: Window,
): { readonly [name: string]: { readonly ints: readonly number[] } } {
  // how many rows lie between the end of the last window and the end of the image; negative where it reaches past it
  const rest = [0, 1].map((axis) => {
    const covered = (grid[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
    return (axis === 0 ? height : width) + pads[axis] - covered;
  });
  return {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    dilations: { ints: dilations },
    pads: { ints: [pads[0], pads[1], Math.max(0, -rest[0]), Math.max(0, -rest[1])] },
    output_padding: { ints: [Math.max(0, rest[0]), Math.max(0, rest[1])] },
  };
}

/** @throws RangeError when a window could lie wholly in the padding */
export function requireNarrowPads(where: string, { kernel, pads }: Pick<Window, 'kernel' | 'pads'>): void {
  if (pads.every((pad, side) => pad < kernel[side % 2])) return;
  throw new RangeError(`${where} expected pads smaller than the kernel ${kernel.join('×')}, got [${pads.join(', ')}].`);
}

function requireIntegers(where: string, what: string, values: readonly number[], least: number): void {
  if (values.every((value) => Number.isInteger(value) && value >= least)) return;
  throw new RangeError(`${where} expected ${what}, got [${values.join(', ')}].`);
}
