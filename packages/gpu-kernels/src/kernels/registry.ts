import { averagePoolLast } from '../channels-last/average-pool-last.ts';
import { channelMeansLast } from '../channels-last/channel-means-last.ts';
import { conv2dLast } from '../channels-last/conv2d-last.ts';
import { conv2dLastDirect } from '../channels-last/conv2d-last-direct.ts';
import { conv2dWinograd } from '../channels-last/conv2d-winograd.ts';
import { depthwiseLast } from '../channels-last/depthwise-last.ts';
import { groupedLast } from '../channels-last/grouped-last.ts';
import { maskImagesLast } from '../channels-last/mask-images-last.ts';
import { maxPoolLast } from '../channels-last/max-pool-last.ts';
import { packDepthwise } from '../channels-last/pack-depthwise.ts';
import { packFilters } from '../channels-last/pack-filters.ts';
import { packFiltersWinograd } from '../channels-last/pack-filters-winograd.ts';
import { packLast } from '../channels-last/pack-last.ts';
import { unpackLast } from '../channels-last/unpack-last.ts';
import { addHalf } from '../halves/add-half.ts';
import { averagePoolHalf } from '../halves/average-pool-half.ts';
import { channelMeansHalf } from '../halves/channel-means-half.ts';
import { conv2dHalf } from '../halves/conv2d-half.ts';
import { depthwiseHalf } from '../halves/depthwise-half.ts';
import { groupedHalf } from '../halves/grouped-half.ts';
import { maskImagesHalf } from '../halves/mask-images-half.ts';
import { maxPoolHalf } from '../halves/max-pool-half.ts';
import { multiplyHalf } from '../halves/multiply-half.ts';
import { packFilterPairsEvenHalf, packFilterPairsOddHalf } from '../halves/pack-filter-pairs-half.ts';
import { packFilterRowsHalf } from '../halves/pack-filter-rows-half.ts';
import { packFiltersHalf } from '../halves/pack-filters-half.ts';
import { packHalf } from '../halves/pack-half.ts';
import { rectifyHalf } from '../halves/rectify-half.ts';
import { sigmoidHalf } from '../halves/sigmoid-half.ts';
import { unpackHalf } from '../halves/unpack-half.ts';
import type { AnyKernel } from '../kernel.ts';
import { add } from './add.ts';
import { averagePool } from './average-pool.ts';
import { averagePoolBackward } from './average-pool-backward.ts';
import { channelMeans } from './channel-means.ts';
import { concatAxis } from './concat-axis.ts';
import { conv2d } from './conv2d.ts';
import { conv2dFused } from './conv2d-fused.ts';
import { conv2dTranspose } from './conv2d-transpose.ts';
import { divide } from './divide.ts';
import { fillRegions } from './fill-regions.ts';
import { guardedDivide } from './guarded-divide.ts';
import { keepNonZero } from './keep-non-zero.ts';
import { maskImages } from './mask-images.ts';
import { matmul } from './matmul.ts';
import { maxPool } from './max-pool.ts';
import { maxPoolBackward } from './max-pool-backward.ts';
import { minMax } from './min-max.ts';
import { multiply } from './multiply.ts';
import { negativePart } from './negative-part.ts';
import { padAxis } from './pad-axis.ts';
import { positivePart } from './positive-part.ts';
import { rectifierGradient } from './rectifier-gradient.ts';
import { rectify } from './rectify.ts';
import { replacePixels } from './replace-pixels.ts';
import { reshape } from './reshape.ts';
import { sigmoid } from './sigmoid.ts';
import { sliceAxis } from './slice-axis.ts';
import { softmax } from './softmax.ts';
import { stabilisedDivide } from './stabilised-divide.ts';
import { subtract } from './subtract.ts';
import { sumAxes } from './sum-axes.ts';
import { translate } from './translate.ts';
import { transpose } from './transpose.ts';
import { upsampleBilinear } from './upsample-bilinear.ts';
import { weightedSum } from './weighted-sum.ts';

/** Every kernel under its name. Tests, and whatever else holds for all kernels, run over this record. */
export const kernels = {
  add,
  addHalf,
  averagePoolHalf,
  depthwiseHalf,
  multiplyHalf,
  rectifyHalf,
  sigmoidHalf,
  averagePool,
  averagePoolBackward,
  averagePoolLast,
  channelMeans,
  channelMeansHalf,
  channelMeansLast,
  concatAxis,
  conv2d,
  conv2dFused,
  conv2dHalf,
  conv2dLast,
  conv2dLastDirect,
  conv2dTranspose,
  conv2dWinograd,
  depthwiseLast,
  divide,
  fillRegions,
  groupedHalf,
  groupedLast,
  guardedDivide,
  keepNonZero,
  maskImages,
  maskImagesHalf,
  maskImagesLast,
  matmul,
  maxPool,
  maxPoolBackward,
  maxPoolHalf,
  maxPoolLast,
  minMax,
  multiply,
  negativePart,
  packDepthwise,
  packFilterPairsEvenHalf,
  packFilterPairsOddHalf,
  packFilters,
  packFilterRowsHalf,
  packFiltersHalf,
  packFiltersWinograd,
  packHalf,
  packLast,
  padAxis,
  positivePart,
  rectifierGradient,
  rectify,
  replacePixels,
  reshape,
  sigmoid,
  sliceAxis,
  softmax,
  stabilisedDivide,
  subtract,
  sumAxes,
  translate,
  transpose,
  unpackHalf,
  unpackLast,
  upsampleBilinear,
  weightedSum,
} satisfies Record<string, AnyKernel>;

export type KernelName = keyof typeof kernels;
