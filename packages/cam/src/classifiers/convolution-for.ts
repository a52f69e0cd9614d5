import {
  type Conv2dHalf,
  type Conv2dLast,
  type ConvolutionShape,
  conv2dHalfWith,
  conv2dLastDirect,
  conv2dLastWith,
  convolutionPrograms,
  halfConvolutionPrograms,
  matrixConvolutions,
  type OpenedDevice,
  type TileName,
  tilesFor,
  tilings,
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
      const programs = winner === undefined ? [] : halfConvolutionPrograms(device, shape);
      return programs.find(({ name }) => name === winner) ?? defaultHalf(device, shape);
    },
  };
}

/** Sums of so many products are shallow: a tile that brings more at a time would wait for memory and add little. */
const SHALLOW = 64;

/**
 * By matrices of subgroups where the device has them and their narrowest tile is not mostly empty: in a tile no wider than there are
 * channels, in the one that brings most products at a time where sums are deep and in one that brings few where they are shallow.
 */
function defaultHalf(device: ChoosingDevice, shape: ConvolutionShape): Conv2dHalf {
  const { channels, depth } = shape;
  const { limits, features, subgroups } = device;
  const byMatrices = subgroups ? matrixConvolutions({ limits, features, subgroups }) : [];
  const suiting = byMatrices.filter(({ suits }) => suits?.(shape) ?? true);
  const narrowest = Math.min(...suiting.map(({ tile }) => tile.channels));
  const fitting = suiting.filter(({ tile }) => tile.channels <= Math.max(channels, narrowest));
  if (fitting.length === 0 || channels < narrowest / 2) return conv2dHalfWith(defaultTile(device, shape));
  const shallow = fitting.find(({ tile }) => tile.deep < SHALLOW);
  return (depth <= SHALLOW ? shallow : undefined) ?? fitting[0];
}

/** For a device that has not been tuned: without barriers on a software adapter. */
function defaultConvolution(device: ChoosingDevice, shape: ConvolutionShape): Conv2dLast {
  return device.software ? conv2dLastDirect : conv2dLastWith(defaultTile(device, shape));
}

/** Workgroups that keep a large GPU busy: two for each of its cores. */
const ENOUGH = 256;

/** The widest tile, no wider than there are channels, that still makes enough workgroups. */
function defaultTile(device: ChoosingDevice, { pixels, channels }: ConvolutionShape): TileName {
  const wide: readonly TileName[] = ['64×128', '128×64'];
  const held = tilesFor(device);
  const fits = wide.find((name) => {
    const tile = tilings[name];
    const groups = Math.ceil(pixels / tile.pixels) * Math.ceil(channels / tile.channels);
    return held.includes(name) && channels >= tile.channels && groups >= ENOUGH;
  });
  return fits ?? '64×64';
}
