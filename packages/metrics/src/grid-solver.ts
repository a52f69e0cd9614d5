import { runModule } from '@cambium/gpu-kernels';
import { gridWasm } from './grid-wasm.ts';
import { NoScore } from './no-score.ts';

/** The exports of `wasm/grid.ts`; addresses in bytes. */
interface GridModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly relevance: { readonly value: number };
  readonly image: { readonly value: number };
  readonly noise: { readonly value: number };
  readonly filled: { readonly value: number };
  layout(height: number, width: number): void;
  take(channels: number): void;
  fill(channels: number, threshold: number, tolerance: number, whole: boolean): void;
}

/** Planes of an image that are filled together, and what is added to numbers that are filled in. */
export interface Planes {
  /** C·H·W numbers, C at most `ABREAST`. */
  readonly image: Float32Array;
  readonly noise?: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** What is removed: the pixels of this relevance and more. */
export interface Removal {
  /** H·W numbers. */
  readonly relevance: Float32Array;
  readonly threshold: number;
}

/** How well the equations are solved. */
export interface Accuracy {
  /** What another cycle would change at most, in the image's units; no less than 2·10⁻⁶ of the image's largest distance from its mean. */
  readonly tolerance: number;
  /** Solves the equations of every pixel; else, far from known ones, those of coarser grids. */
  readonly whole: boolean;
}

/** Channels that are solved for at once: the floats of 128 bits. */
export const ABREAST = 4;

let module: GridModule | undefined; // one for all images: between calls it holds no more than their size
let size = '';
/** What the module holds, by identity: neither changes while one `Planes` is filled again and again. */
let taken: Planes | undefined;
let shown: Float32Array | undefined;

/**
 * Writes planes in which the pixels whose relevance (H·W) reaches a threshold are each the weighted mean of their neighbours.
 *
 * Multigrid in full approximation, with Gauss–Seidel sweeps, in float32. Three things make it fast:
 *
 * - Away from known pixels the solution is smooth, so pixels more than eight from known ones are not solved for: they are the
 *   next grid's solution, interpolated, and so on from grid to grid. The coarse grids' weights are such that waves which solve
 *   the finest equations solve theirs, to the fifth order; interpolation is exact for harmonic polynomials of the fourth degree.
 * - A coarse cell with known pixels in it is not known: it is pulled to them, the more the more they are. That tells the coarse
 *   grids where between two cells the known begin, and a cycle takes off nine tenths of the error, not two thirds.
 * - Cells within three of known ones are swept twice more than the others.
 *
 * @throws NoScore where WebAssembly does not run
 * @source Brandt 1977, Mathematics of Computation 31, 333: full approximation, grids that end where the solution is smooth
 */
export function fillPlanes(
  pixels: Float32Array,
  planes: Planes,
  { relevance, threshold }: Removal,
  { tolerance, whole }: Accuracy,
): void {
  const grid = gridOf(planes);
  const channels = planes.image.length / relevance.length;
  if (taken !== planes) {
    view(grid, grid.image, planes.image.length).set(planes.image);
    const noise = view(grid, grid.noise, planes.image.length);
    if (planes.noise) noise.set(planes.noise);
    else noise.fill(0);
    grid.take(channels);
    shown = undefined; // whoever asks anew may have written other numbers there
    taken = planes;
  }
  if (shown !== relevance) view(grid, grid.relevance, relevance.length).set(relevance);
  shown = relevance;
  grid.fill(channels, float32From(threshold), tolerance, whole);
  pixels.set(view(grid, grid.filled, planes.image.length));
}

/** The least float32 that is no less: a float32 reaches it where it reaches the number. */
function float32From(number: number): number {
  const rounded = new Float32Array([number]);
  if (rounded[0] >= number) return rounded[0];
  const bits = new Int32Array(rounded.buffer);
  if (rounded[0] === 0) return 2 ** -149;
  bits[0] += rounded[0] > 0 ? 1 : -1;
  return rounded[0];
}

function view(grid: GridModule, { value }: { readonly value: number }, length: number): Float32Array {
  return new Float32Array(grid.memory.buffer, value, length);
}

function gridOf({ height, width }: Planes): GridModule {
  module ??= runModule<GridModule>(gridWasm);
  if (!module) throw new NoScore('it needs WebAssembly with 128-bit instructions, which does not run here');
  if (size !== `${height}×${width}`) {
    module.layout(height, width);
    taken = undefined;
    shown = undefined;
  }
  size = `${height}×${width}`;
  return module;
}
