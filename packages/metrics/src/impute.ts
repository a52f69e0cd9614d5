import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { emptyLevel, hierarchy, type Level, offsets, solve } from './multigrid.ts';

/** Weights of the neighbours at `offsets`: beside 1/6, diagonal 1/12. */
const weights = [1 / 6, 1 / 6, 1 / 12, 1 / 12] as const;

/**
 * Fills unknown pixels so that each is the weighted mean of its up to eight neighbours, known or not.
 *
 *     image C×H×W, unknown H·W  →  C×H×W
 *
 *     v_i Σ w_n = Σ w_n u_n over the neighbours inside the image, w = 1/6 beside, 1/12 diagonal
 *
 * The linear system is symmetric and positive definite as long as a pixel is known; it is solved to a residual of
 * `tolerance` times the right side, which leaves errors far below the noise that is added to what is imputed. With no pixel known there is nothing to go by: the channel's mean.
 *
 * @source Rong et al. 2022, arXiv 2202.00449, eq. 7; spec 3.3
 */
export function impute(image: Tensor, unknown: Uint8Array, tolerance = 1e-4): Tensor {
  const [channels, height, width] = image.shape;
  const size = height * width;
  const result = new Float32Array(image.data);
  const missing = unknown.reduce((sum, flag) => sum + flag, 0);
  if (missing === 0) return tensor(result, image.shape);
  const levels = missing < size ? hierarchy(systemOf(unknown, height, width)) : [];
  for (let channel = 0; channel < channels; channel++) {
    const plane = result.subarray(channel * size, (channel + 1) * size);
    if (missing === size) plane.fill(plane.reduce((sum, value) => sum + value, 0) / size);
    else fillPlane(plane, unknown, { levels, width, tolerance });
  }
  return tensor(result, image.shape);
}

function fillPlane(
  plane: Float32Array,
  unknown: Uint8Array,
  { levels, width, tolerance }: { levels: readonly Level[]; width: number; tolerance: number },
): void {
  const right = knownSums(plane, unknown, width);
  const mean = meanOfKnown(plane, unknown);
  const start = Float64Array.from(unknown, (flag) => (flag ? mean : 0));
  const solution = solve(levels, right, { start, tolerance });
  for (let pixel = 0; pixel < plane.length; pixel++) if (unknown[pixel]) plane[pixel] = solution[pixel];
}

/** Every pair of neighbours in the image: two pixels and their weight. */
function eachPair(length: number, width: number, visit: (pixel: number, other: number, at: number) => void): void {
  for (let pixel = 0; pixel < length; pixel++) {
    const column = pixel % width;
    for (let at = 0; at < offsets.length; at++) {
      const [down, right] = offsets[at];
      const other = pixel + down * width + right;
      if (other < length && column + right >= 0 && column + right < width) visit(pixel, other, at);
    }
  }
}

function systemOf(unknown: Uint8Array, height: number, width: number): Level {
  const level = emptyLevel(height, width);
  eachPair(unknown.length, width, (pixel, other, at) => {
    if (unknown[pixel]) level.diagonal[pixel] += weights[at];
    if (unknown[other]) level.diagonal[other] += weights[at];
    if (unknown[pixel] && unknown[other]) level.ties[at][pixel] = weights[at];
  });
  return level;
}

/** What known neighbours contribute to each unknown pixel: the right side. */
function knownSums(plane: Float32Array, unknown: Uint8Array, width: number): Float64Array {
  const sums = new Float64Array(plane.length);
  eachPair(plane.length, width, (pixel, other, at) => {
    if (unknown[pixel] && !unknown[other]) sums[pixel] += weights[at] * plane[other];
    if (unknown[other] && !unknown[pixel]) sums[other] += weights[at] * plane[pixel];
  });
  return sums;
}

function meanOfKnown(plane: Float32Array, unknown: Uint8Array): number {
  let sum = 0;
  let count = 0;
  for (let pixel = 0; pixel < plane.length; pixel++) {
    if (unknown[pixel]) continue;
    sum += plane[pixel];
    count++;
  }
  return sum / count;
}
