import { conv2dLastWith, type Tile } from './channels-last/conv2d-last.ts';
import { conv2dLastDirect } from './channels-last/conv2d-last-direct.ts';
import type { Conv2dLast, Conv2dLastOptions } from './channels-last/conv2d-last-plan.ts';
import { conv2dWinograd } from './channels-last/conv2d-winograd.ts';
import { conv2dHalfWith } from './halves/conv2d-half.ts';
import type { Conv2dHalf } from './halves/conv2d-half-plan.ts';
import { type MatrixHost, matrixConvolutions } from './halves/conv2d-matrix.ts';

/** What a device must say of itself before programs can be chosen for it; an `OpenedDevice` does. */
export type ProgramHost = Pick<MatrixHost, 'limits'> & Partial<MatrixHost>;

/**
 * All programs that compute a convolution with channels last and these options on a device, to be timed against each other.
 * Names are theirs alone and stay the same, so that a choice can be kept in a file.
 */
export function convolutionPrograms(host: ProgramHost, options: Conv2dLastOptions): readonly Conv2dLast[] {
  const all: readonly Conv2dLast[] = [
    conv2dLastDirect,
    ...tilesFor(host).map(conv2dLastWith),
    ...(holds(host, 256, 32_768) ? [conv2dWinograd] : []),
  ];
  return all.filter(({ suits }) => suits?.(options) ?? true);
}

/** The same in half precision, forward only; by matrices of subgroups as well, if features and subgroups are known. */
export function halfConvolutionPrograms(host: ProgramHost): readonly Conv2dHalf[] {
  const { limits, features = [], subgroups } = host;
  const byMatrices = subgroups ? matrixConvolutions({ limits, features, subgroups }) : [];
  return [...tilesFor(host).map(conv2dHalfWith), ...byMatrices];
}

/** Tiles whose workgroups the device can hold: 64 to 256 invocations, 16 KiB for the largest. */
function tilesFor(host: ProgramHost): readonly Tile[] {
  const tiles: readonly Tile[] = [
    { across: 8, down: 8 },
    { across: 8, down: 16 },
    { across: 16, down: 8 },
    { across: 16, down: 16 },
  ];
  return tiles.filter(({ across, down }) => holds(host, across * down, 512 * (across + down)));
}

function holds({ limits }: ProgramHost, invocations: number, bytes: number): boolean {
  return limits.maxComputeInvocationsPerWorkgroup >= invocations && limits.maxComputeWorkgroupStorageSize >= bytes;
}
