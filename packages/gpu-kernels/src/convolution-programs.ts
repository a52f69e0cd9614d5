import { conv2dLastWith, type Tile } from './channels-last/conv2d-last.ts';
import { conv2dLastDirect } from './channels-last/conv2d-last-direct.ts';
import type { Conv2dLast, Conv2dLastOptions } from './channels-last/conv2d-last-plan.ts';
import { conv2dWinograd } from './channels-last/conv2d-winograd.ts';
import { conv2dHalfWith } from './halves/conv2d-half.ts';
import type { Conv2dHalf } from './halves/conv2d-half-plan.ts';

/** What a device must say of itself before programs can be chosen for it; an `OpenedDevice` does. */
export interface ProgramHost {
  readonly limits: { readonly [name: string]: number };
}

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

/** The same in half precision, forward only. */
export function halfConvolutionPrograms(host: ProgramHost): readonly Conv2dHalf[] {
  return tilesFor(host).map(conv2dHalfWith);
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
