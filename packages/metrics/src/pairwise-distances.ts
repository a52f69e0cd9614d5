import { runModule } from '@cambium/gpu-kernels';
import { distancesWasm } from './distances-wasm.ts';
import { type MapScaling, scaledPart } from './normalise.ts';

/** Pixels whose variances and differences are taken together: they stay in near memory. `wasm/distances.ts` has it too. */
const BLOCK = 2048;

/** The exports of `wasm/distances.ts`; addresses in bytes. */
interface DistancesModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly parts: { readonly value: number };
  readonly squares: { readonly value: number };
  layout(count: number): void;
  scale(map: number, length: number, positive: number, negative: number): void;
  add(count: number, length: number): void;
}

let module: DistancesModule | undefined; // one for all: between calls it holds a block of each map

/**
 * Standardised Euclidean distances between scaled maps, as a symmetric table. A pixel's variance is that over the maps,
 * with n − 1; one that never varies adds nothing. The plain loops serve where WebAssembly does not run: the same bits.
 */
export function pairwiseDistances(maps: readonly MapScaling[]): number[][] {
  module ??= runModule<DistancesModule>(distancesWasm);
  return module ? distancesIn(module, maps) : plainDistances(maps);
}

function distancesIn(distances: DistancesModule, maps: readonly MapScaling[]): number[][] {
  const count = maps.length;
  distances.layout(count);
  const { buffer } = distances.memory;
  const parts = new Float32Array(buffer, distances.parts.value, count * BLOCK);
  const size = maps[0].data.length;
  for (let start = 0; start < size; start += BLOCK) {
    const length = Math.min(BLOCK, size - start);
    for (const [index, map] of maps.entries()) {
      const part = map.data.subarray(start, start + length);
      if (inFloats(map)) {
        parts.set(part, index * BLOCK);
        distances.scale(index, length, map.positive, map.negative);
      } else parts.set(scaledPart(part, map), index * BLOCK);
      if (length < BLOCK) parts[index * BLOCK + length] = 0; // pixels are taken in twos
    }
    distances.add(count, length);
  }
  const squares = new Float64Array(buffer, distances.squares.value, count * count);
  return maps.map((_, row) =>
    maps.map((_, column) => Math.sqrt(squares[Math.max(row, column) * count + Math.min(row, column)])),
  );
}

/** Whether a division in float32 has the bits of one in double precision that is rounded then. */
function inFloats({ positive, negative }: MapScaling): boolean {
  return Math.fround(positive) === positive && Math.fround(negative) === negative;
}

/** `pairwiseDistances` in plain loops. */
export function plainDistances(maps: readonly MapScaling[]): number[][] {
  const squares = maps.map(() => maps.map(() => 0));
  const size = maps[0].data.length;
  const scales = variances(Math.min(BLOCK, size));
  for (let start = 0; start < size; start += BLOCK) {
    const parts = maps.map((map) => scaledPart(map.data.subarray(start, start + BLOCK), map));
    const inverse = scales.invert(parts);
    for (let row = 0; row < maps.length; row++) {
      for (let column = 0; column < row; column++) {
        squares[row][column] += scaledSquares(parts[row], parts[column], inverse);
        squares[column][row] = squares[row][column];
      }
    }
  }
  return squares.map((row) => row.map(Math.sqrt));
}

/** Makes one over each pixel's variance over parts of maps, 0 where it has none, in the same memory every time. */
function variances(most: number): { invert(parts: readonly Float32Array[]): Float64Array } {
  const means = new Float64Array(most);
  const squares = new Float64Array(most);
  return {
    invert(parts) {
      const { length } = parts[0];
      means.fill(0);
      squares.fill(0);
      for (const part of parts) for (let pixel = 0; pixel < length; pixel++) means[pixel] += part[pixel];
      for (const part of parts) addSquares(squares, part, means, 1 / parts.length);
      for (let pixel = 0; pixel < length; pixel++) {
        squares[pixel] = squares[pixel] > 0 ? (parts.length - 1) / squares[pixel] : 0;
      }
      return squares;
    },
  };
}

function addSquares(squares: Float64Array, part: Float32Array, sums: Float64Array, share: number): void {
  for (let pixel = 0; pixel < part.length; pixel++) {
    const difference = part[pixel] - share * sums[pixel];
    squares[pixel] += difference * difference;
  }
}

function scaledSquares(left: Float32Array, right: Float32Array, scales: Float64Array): number {
  let sum = 0;
  for (let pixel = 0; pixel < left.length; pixel++) {
    const difference = left[pixel] - right[pixel];
    sum += scales[pixel] * difference * difference;
  }
  return sum;
}
