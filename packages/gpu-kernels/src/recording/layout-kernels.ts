import { averagePoolLast } from '../channels-last/average-pool-last.ts';
import { channelMeansLast } from '../channels-last/channel-means-last.ts';
import type { Conv2dLast } from '../channels-last/conv2d-last-plan.ts';
import { depthwiseLast } from '../channels-last/depthwise-last.ts';
import { maxPoolLast } from '../channels-last/max-pool-last.ts';
import { packDepthwise } from '../channels-last/pack-depthwise.ts';
import { packFilters } from '../channels-last/pack-filters.ts';
import { packLast } from '../channels-last/pack-last.ts';
import { unpackLast } from '../channels-last/unpack-last.ts';
import { channelMeansHalf } from '../halves/channel-means-half.ts';
import { conv2dHalf } from '../halves/conv2d-half.ts';
import type { Conv2dHalf } from '../halves/conv2d-half-plan.ts';
import { maxPoolHalf } from '../halves/max-pool-half.ts';
import { packFiltersHalf } from '../halves/pack-filters-half.ts';
import { packHalf } from '../halves/pack-half.ts';
import { unpackHalf } from '../halves/unpack-half.ts';
import type { AnyKernel } from '../kernel.ts';
import { concatAxis } from '../kernels/concat-axis.ts';
import type { ConvolutionShape } from './channels-last.ts';
import { elementWise } from './element-wise.ts';

/** The kernels of a layout: what brings values into it and out of it, and what computes in it. */
export interface LayoutKernels {
  readonly pack: AnyKernel;
  readonly unpack: AnyKernel;
  /** The program of a convolution, and what lays out the weights that it multiplies with. */
  convolution(shape: ConvolutionShape): { readonly kernel: AnyKernel; readonly filters: AnyKernel };
  /** A convolution of each channel by itself, and what lays out its weights. */
  readonly depthwise: { readonly kernel: AnyKernel; readonly filters: AnyKernel } | undefined;
  readonly maxPool: AnyKernel;
  readonly averagePool: AnyKernel | undefined;
  /** Joins images along channels, which are their last axis. */
  readonly concat: AnyKernel;
  /** Means of channels, float32 with channels last. */
  readonly means: AnyKernel;
  /** Kernels that compute in this layout as they do in any. */
  readonly elementWise: ReadonlySet<AnyKernel>;
  /** Whether the way back through convolutions is computed in this layout. */
  readonly goesBack: boolean;
  /** Channels in one number of memory. */
  readonly inOneNumber: 1 | 2;
}

/** Channels last in float32. */
export function lastKernels(convolution: (shape: ConvolutionShape) => Conv2dLast): LayoutKernels {
  return {
    pack: packLast,
    unpack: unpackLast,
    convolution(shape) {
      const kernel = convolution(shape);
      return { kernel, filters: kernel.filters ?? packFilters };
    },
    depthwise: { kernel: depthwiseLast, filters: packDepthwise },
    maxPool: maxPoolLast,
    averagePool: averagePoolLast,
    concat: concatAxis,
    means: channelMeansLast,
    elementWise,
    goesBack: true,
    inOneNumber: 1,
  };
}

/** Channels last in half precision. */
export function halfKernels(convolution: (shape: ConvolutionShape) => Conv2dHalf = () => conv2dHalf): LayoutKernels {
  return {
    pack: packHalf,
    unpack: unpackHalf,
    convolution: (shape) => ({ kernel: convolution(shape), filters: packFiltersHalf }),
    depthwise: undefined,
    maxPool: maxPoolHalf,
    averagePool: undefined,
    concat: concatAxis, // moves words as it moves numbers
    means: channelMeansHalf,
    elementWise: new Set(),
    goesBack: false,
    inOneNumber: 2,
  };
}
