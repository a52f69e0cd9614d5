import { conv2dLastWith } from './channels-last/conv2d-last.ts';
import { conv2dLastDirect } from './channels-last/conv2d-last-direct.ts';
import type { Conv2dLast, Conv2dLastOptions } from './channels-last/conv2d-last-plan.ts';
import { conv2dWinograd } from './channels-last/conv2d-winograd.ts';
import { needsOfTile, type TileName, tilings } from './channels-last/tile-program.ts';
import { conv2dHalfWith } from './halves/conv2d-half.ts';
import type { Conv2dHalf } from './halves/conv2d-half-plan.ts';
import { type MatrixHost, matrixConvolutions, pairedConvolutions } from './halves/conv2d-matrix.ts';
import type { ConvolutionShape } from './recording/convolution-shape.ts';

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
    ...(holds(host, { invocations: 256, bytes: 32_768 }) ? [conv2dWinograd] : []),
  ];
  return all.filter(({ suits }) => suits?.(options) ?? true);
}

/** The same in half precision, forward only; by matrices of subgroups as well, if features and subgroups are known. */
export function halfConvolutionPrograms(host: ProgramHost, shape: ConvolutionShape): readonly Conv2dHalf[] {
  const { limits, features = [], subgroups } = host;
  const own = subgroups && { limits, features, subgroups };
  const byMatrices = own ? [...pairedConvolutions(own), ...matrixConvolutions(own)] : [];
  const all: readonly Conv2dHalf[] = [...tilesFor(host).map(conv2dHalfWith), ...byMatrices];
  return all.filter(({ suits }) => suits?.(shape) ?? true);
}

/** Tiles whose workgroups the device can hold. */
export function tilesFor(host: ProgramHost): readonly TileName[] {
  const names = Object.keys(tilings) as TileName[]; // a record has no other keys
  return names.filter((name) => holds(host, needsOfTile(name)));
}

function holds({ limits }: ProgramHost, { invocations, bytes }: ReturnType<typeof needsOfTile>): boolean {
  return limits.maxComputeInvocationsPerWorkgroup >= invocations && limits.maxComputeWorkgroupStorageSize >= bytes;
}
