import { runModule } from '@cambium/gpu-kernels';
import { gridWasm } from './grid-wasm.ts';
import { NoScore } from './no-score.ts';

/** The exports of `wasm/grid.ts`; addresses in bytes. */
interface GridModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly mask: { readonly value: number };
  readonly planes: { readonly value: number };
  layout(height: number, width: number): void;
  fill(channels: number, tolerance: number): void;
}

/** Channels that are solved for at once: the floats of 128 bits. */
const ABREAST = 4;

let module: GridModule | undefined; // one for all images: between calls it holds no more than their size
let size = '';

/**
 * Replaces the unknown numbers (H·W, 1 where unknown) of C·H·W pixels so that each is the weighted mean of its neighbours,
 * starting from the mean of the known ones. At least one must be known.
 *
 * Multigrid: V-cycles over ever coarser grids, with Gauss–Seidel sweeps, bilinear interpolation and its transpose. A coarse
 * cell is unknown where all four of its cells are; its equation is that of the finest grid. Where the known begin the coarse
 * grids are wrong, so cells within six of known ones are swept three times more; and as what lies further inside is smooth,
 * the first two cycles leave it to the coarse grids altogether. Errors are computed in float32, what they leave in double
 * precision, so that any tolerance is reached.
 *
 * @param tolerance of the residual's norm over that of what the known neighbours contribute, in every channel
 * @throws NoScore where WebAssembly does not run
 */
export function fillUnknown(
  pixels: Float32Array,
  unknown: Uint8Array,
  [channels, height, width]: readonly number[],
  tolerance: number,
): void {
  const grid = gridOf(height, width);
  new Uint8Array(grid.memory.buffer, grid.mask.value, unknown.length).set(unknown);
  for (let channel = 0; channel < channels; channel += ABREAST) {
    const count = Math.min(ABREAST, channels - channel);
    const planes = pixels.subarray(channel * unknown.length, (channel + count) * unknown.length);
    const room = new Float32Array(grid.memory.buffer, grid.planes.value, planes.length);
    room.set(planes);
    grid.fill(count, tolerance);
    planes.set(room);
  }
}

function gridOf(height: number, width: number): GridModule {
  module ??= runModule<GridModule>(gridWasm);
  if (!module) throw new NoScore('it needs WebAssembly with 128-bit instructions, which does not run here');
  if (size !== `${height}×${width}`) module.layout(height, width);
  size = `${height}×${width}`;
  return module;
}
