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
  pairedConvolutions,
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

/**
 * By matrices of subgroups where the device has them and their narrowest tile is not mostly empty: of tiles as wide as there are
 * channels the largest that still makes enough workgroups, else the smallest. On an H200 that is the fastest program, or within 4 % of
 * it, of every convolution of ResNet-50 (decision 0010).
 */
function defaultHalf(device: ChoosingDevice, shape: ConvolutionShape): Conv2dHalf {
  const { pixels, channels } = shape;
  const { limits, features, subgroups } = device;
  const own = subgroups && { limits, features, subgroups };
  const byMatrices = own ? [...pairedConvolutions(own), ...matrixConvolutions(own)] : [];
  const suiting = byMatrices.filter(({ suits }) => suits?.(shape) ?? true);
  const narrowest = Math.min(...suiting.map(({ tile }) => tile.channels));
  if (suiting.length === 0 || channels < narrowest / 2) return conv2dHalfWith(defaultTile(device, shape));
  const widest = Math.max(
    ...suiting.map(({ tile }) => tile.channels).filter((wide) => wide <= Math.max(channels, narrowest)),
  );
  const wide = suiting.filter(({ tile }) => tile.channels === widest);
  const [smallest] = wide.toSorted((a, b) => a.tile.pixels - b.tile.pixels);
  return wide.find(({ tile }) => workgroupsOf(tile, { pixels, channels }) >= ENOUGH) ?? smallest;
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
    return held.includes(name) && channels >= tile.channels && workgroupsOf(tile, { pixels, channels }) >= ENOUGH;
  });
  return fits ?? '64×64';
}

/** Of a product of matrices in tiles. */
function workgroupsOf(tile: Extent, { pixels, channels }: Extent): number {
  return Math.ceil(pixels / tile.pixels) * Math.ceil(channels / tile.channels);
}

interface Extent {
  readonly pixels: number;
  readonly channels: number;
}
