import {
  type Conv2dHalf,
  type Conv2dLast,
  type ConvolutionShape,
  conv2dHalf,
  conv2dLastDirect,
  conv2dLastWith,
  convolutionPrograms,
  halfConvolutionPrograms,
  matrixConvolutions,
  type OpenedDevice,
} from '@cambium/gpu-kernels';
import { type Tuning, winnerFor } from '../tuning/tuning.ts';

/** What of a device the choice of programs depends on. */
export type ChoosingDevice = Pick<OpenedDevice, 'software' | 'limits' | 'features'> &
  Partial<Pick<OpenedDevice, 'subgroups'>>;

/** How convolutions are computed, in both precisions. */
export interface ConvolutionChoice {
  readonly convolution: (shape: ConvolutionShape) => Conv2dLast;
  readonly halfConvolution: (shape: ConvolutionShape) => Conv2dHalf;
}

/** Which program computes a convolution on a device: the one that won there when it was tuned, else the default. */
export function convolutionFor(device: ChoosingDevice, tuning?: Tuning): ConvolutionChoice {
  return {
    convolution(shape) {
      const winner = winnerFor('f32', shape, tuning);
      const programs = winner === undefined ? [] : convolutionPrograms(device, shape.options);
      return programs.find(({ name }) => name === winner) ?? defaultConvolution(device, shape);
    },
    halfConvolution(shape) {
      const winner = winnerFor('f16', shape, tuning);
      const programs = winner === undefined ? [] : halfConvolutionPrograms(device);
      return programs.find(({ name }) => name === winner) ?? defaultHalf(device, shape);
    },
  };
}

/** By matrices of subgroups where the device has them and their smallest tile is not mostly empty. */
function defaultHalf({ limits, features, subgroups }: ChoosingDevice, { channels }: ConvolutionShape): Conv2dHalf {
  const byMatrices = subgroups && channels >= 32 ? matrixConvolutions({ limits, features, subgroups }) : [];
  return (channels < 128 ? byMatrices.at(-1) : byMatrices[0]) ?? conv2dHalf;
}

/** Workgroups that keep a large GPU busy: a few for each of its cores. */
const ENOUGH = 512;

/**
 * For a device that has not been tuned: without barriers on a software adapter, otherwise in the largest tiles that still make
 * enough workgroups, and no wider than there are channels.
 */
function defaultConvolution({ software, limits }: ChoosingDevice, { pixels, channels }: ConvolutionShape): Conv2dLast {
  if (software) return conv2dLastDirect;
  const wide = limits.maxComputeInvocationsPerWorkgroup >= 256 && limits.maxComputeWorkgroupStorageSize >= 16_384;
  const tiles = [
    { across: 16, down: 16 },
    { across: 8, down: 16 },
    { across: 8, down: 8 },
  ] as const;
  const fits = tiles.find(({ across, down }) => {
    const groups = Math.ceil(pixels / (8 * down)) * Math.ceil(channels / (8 * across));
    return (wide || across * down < 256) && channels >= 8 * across && groups >= ENOUGH;
  });
  return conv2dLastWith(fits ?? { across: 8, down: 8 });
}
