import { averagePoolLast } from '../channels-last/average-pool-last.ts';
import { channelMeansLast } from '../channels-last/channel-means-last.ts';
import type { Conv2dLast } from '../channels-last/conv2d-last-plan.ts';
import { depthwiseLast } from '../channels-last/depthwise-last.ts';
import { groupedLast } from '../channels-last/grouped-last.ts';
import { maskImagesLast } from '../channels-last/mask-images-last.ts';
import { maxPoolLast } from '../channels-last/max-pool-last.ts';
import { packDepthwise } from '../channels-last/pack-depthwise.ts';
import { packFilters } from '../channels-last/pack-filters.ts';
import { packLast } from '../channels-last/pack-last.ts';
import { unpackLast } from '../channels-last/unpack-last.ts';
import { addHalf } from '../halves/add-half.ts';
import { averagePoolHalf } from '../halves/average-pool-half.ts';
import { channelMeansHalf } from '../halves/channel-means-half.ts';
import { conv2dHalf } from '../halves/conv2d-half.ts';
import type { Conv2dHalf } from '../halves/conv2d-half-plan.ts';
import { depthwiseHalf } from '../halves/depthwise-half.ts';
import { groupedHalf } from '../halves/grouped-half.ts';
import { maskImagesHalf } from '../halves/mask-images-half.ts';
import { maxPoolHalf } from '../halves/max-pool-half.ts';
import { multiplyHalf } from '../halves/multiply-half.ts';
import { packFiltersHalf } from '../halves/pack-filters-half.ts';
import { packHalf } from '../halves/pack-half.ts';
import { rectifyHalf } from '../halves/rectify-half.ts';
import { sigmoidHalf } from '../halves/sigmoid-half.ts';
import { unpackHalf } from '../halves/unpack-half.ts';
import type { AnyKernel } from '../kernel.ts';
import { add } from '../kernels/add.ts';
import { concatAxis } from '../kernels/concat-axis.ts';
import { multiply } from '../kernels/multiply.ts';
import { positivePart } from '../kernels/positive-part.ts';
import { rectify } from '../kernels/rectify.ts';
import { sigmoid } from '../kernels/sigmoid.ts';
import type { ConvolutionShape } from './convolution-shape.ts';
import { elementWise } from './element-wise.ts';

/** The kernels of a layout: what brings values into it and out of it, and what computes in it. */
export interface LayoutKernels {
  readonly pack: AnyKernel;
  readonly unpack: AnyKernel;
  /** The program of a convolution, and what lays out the weights that it multiplies with. */
  convolution(shape: ConvolutionShape): { readonly kernel: AnyKernel; readonly filters: AnyKernel };
  /** Images under masks; the image that it reads is float32 with channels last. */
  readonly masks: AnyKernel;
  /** A convolution of each channel by itself, and what lays out its weights. */
  readonly depthwise: { readonly kernel: AnyKernel; readonly filters: AnyKernel };
  /** A convolution in groups of whole quads, and what lays out its weights. */
  readonly grouped: { readonly kernel: AnyKernel; readonly filters: AnyKernel };
  readonly maxPool: AnyKernel;
  readonly averagePool: AnyKernel;
  /** Joins images along channels, which are their last axis. */
  readonly concat: AnyKernel;
  /** Means of channels, float32 with channels last. */
  readonly means: AnyKernel;
  /** What computes in this layout as kernels do that look at one place at a time, and its options where they are others. */
  readonly elementWise: ReadonlyMap<AnyKernel, { readonly kernel: AnyKernel; readonly options?: unknown }>;
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
    masks: maskImagesLast,
    depthwise: { kernel: depthwiseLast, filters: packDepthwise },
    grouped: { kernel: groupedLast, filters: packFilters },
    maxPool: maxPoolLast,
    averagePool: averagePoolLast,
    concat: concatAxis,
    means: channelMeansLast,
    elementWise: new Map([...elementWise].map((kernel) => [kernel, { kernel }])),
    goesBack: true,
    inOneNumber: 1,
  };
}

/** Channels last in half precision. */
export function halfKernels(convolution: (shape: ConvolutionShape) => Conv2dHalf = () => conv2dHalf): LayoutKernels {
  return {
    pack: packHalf,
    unpack: unpackHalf,
    convolution(shape) {
      const kernel = convolution(shape);
      return { kernel, filters: kernel.filters ?? packFiltersHalf };
    },
    masks: maskImagesHalf,
    depthwise: { kernel: depthwiseHalf, filters: packDepthwise },
    grouped: { kernel: groupedHalf, filters: packFiltersHalf },
    maxPool: maxPoolHalf,
    averagePool: averagePoolHalf,
    concat: concatAxis, // moves words as it moves numbers
    means: channelMeansHalf,
    elementWise: new Map<AnyKernel, { readonly kernel: AnyKernel; readonly options?: unknown }>([
      [add, { kernel: addHalf }],
      [multiply, { kernel: multiplyHalf }],
      [positivePart, { kernel: rectifyHalf, options: { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0 } }],
      [rectify, { kernel: rectifyHalf }],
      [sigmoid, { kernel: sigmoidHalf }],
    ]),
    goesBack: false,
    inOneNumber: 2,
  };
}
