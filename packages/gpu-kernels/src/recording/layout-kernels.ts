import { channelMeansLast } from '../channels-last/channel-means-last.ts';
import type { Conv2dLast } from '../channels-last/conv2d-last-plan.ts';
import { maxPoolLast } from '../channels-last/max-pool-last.ts';
import { packFilters } from '../channels-last/pack-filters.ts';
import { packLast } from '../channels-last/pack-last.ts';
import { unpackLast } from '../channels-last/unpack-last.ts';
import { channelMeansHalf } from '../halves/channel-means-half.ts';
import { conv2dHalf } from '../halves/conv2d-half.ts';
import { maxPoolHalf } from '../halves/max-pool-half.ts';
import { packFiltersHalf } from '../halves/pack-filters-half.ts';
import { packHalf } from '../halves/pack-half.ts';
import { unpackHalf } from '../halves/unpack-half.ts';
import type { AnyKernel } from '../kernel.ts';
import type { ConvolutionShape } from './channels-last.ts';
import { elementWise } from './element-wise.ts';

/** The kernels of a layout: what brings values into it and out of it, and what computes in it. */
export interface LayoutKernels {
  readonly pack: AnyKernel;
  readonly unpack: AnyKernel;
  readonly filters: AnyKernel;
  /** @param width of the packed weights, in numbers of memory */
  convolution(shape: Omit<ConvolutionShape, 'channels'> & { readonly width: number }): AnyKernel;
  readonly maxPool: AnyKernel;
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
    filters: packFilters,
    convolution: ({ width, ...shape }) => convolution({ ...shape, channels: width }),
    maxPool: maxPoolLast,
    means: channelMeansLast,
    elementWise,
    goesBack: true,
    inOneNumber: 1,
  };
}

/** Channels last in half precision. */
export const halfKernels: LayoutKernels = {
  pack: packHalf,
  unpack: unpackHalf,
  filters: packFiltersHalf,
  convolution: () => conv2dHalf,
  maxPool: maxPoolHalf,
  means: channelMeansHalf,
  elementWise: new Set(),
  goesBack: false,
  inOneNumber: 2,
};
