import {
  BESIDE,
  CORNER,
  emptyLevel,
  interpolate,
  type Level,
  mirror,
  numbers,
  prepare,
  restrict,
} from './grid-level.ts';

/** Solves for the unknown cells of a grid; one set of them at a time, for any number of right sides. */
export interface GridSolver {
  /** Says which cells are unknown, H·W. */
  prepare(unknown: Uint8Array): void;
  /**
   * Replaces the unknown numbers of a plane H·W so that each is the weighted mean of its neighbours, starting from `start`.
   *
   * @param tolerance of the residual's norm over that of what the known neighbours contribute
   */
  fill(plane: Float32Array, start: number, tolerance: number): void;
}

/**
 * Conjugate gradients with a V-cycle over ever coarser grids as preconditioner. A coarse cell is unknown where all four of
 * its cells are; its equation is that of the finest grid. One sweep before and one after, each of all cells at once, and
 * bilinear interpolation with its transpose, so that the cycle is symmetric. No matrix is stored: weights are the same
 * everywhere, and only the sums of those inside the grid differ.
 */
export function gridSolver(height: number, width: number): GridSolver {
  const levels = [emptyLevel(height, width)];
  while (levels[levels.length - 1].height * levels[levels.length - 1].width > 4) {
    const { height: fine, width: across } = levels[levels.length - 1];
    levels.push(emptyLevel(Math.ceil(fine / 2), Math.ceil(across / 2)));
  }
  const [finest] = levels;
  const values = numbers(finest);
  const direction = numbers(finest);
  const lost = numbers(finest); // −A·direction
  const nothing = numbers(finest);
  const fill = (plane: Float32Array, start: number, tolerance: number) => {
    const { runs, length, right: residual, solution: corrected, unknown, stride } = finest;
    spread(plane, values, { unknown, width, stride, start: 0 });
    leave(finest, { right: nothing, values, rest: residual }); // what the known contribute
    const limit = tolerance ** 2 * dot(finest, residual, residual);
    spread(plane, values, { unknown, width, stride, start });
    leave(finest, { right: nothing, values, rest: residual });
    direction.fill(0);
    let energy = 0;
    let squares = dot(finest, residual, residual);
    for (let step = 0; step < 1000 && squares > limit; step++) {
      cycle(levels, 0);
      const before = energy;
      energy = dot(finest, residual, corrected);
      const turn = step === 0 ? 0 : energy / before;
      for (let run = 0; run < length; run += 2) {
        for (let cell = runs[run]; cell < runs[run + 1]; cell++)
          direction[cell] = corrected[cell] + turn * direction[cell];
      }
      leave(finest, { right: nothing, values: direction, rest: lost });
      squares = 0;
      const stepLength = -energy / dot(finest, direction, lost);
      for (let run = 0; run < length; run += 2) {
        for (let cell = runs[run]; cell < runs[run + 1]; cell++) {
          values[cell] += stepLength * direction[cell];
          residual[cell] += stepLength * lost[cell];
          squares += residual[cell] * residual[cell];
        }
      }
    }
    gather(values, plane, finest);
  };
  return { prepare: (unknown) => prepare(levels, unknown), fill };
}

/** A plane laid out over the grid, with one number at the unknown cells. */
function spread(
  plane: Float32Array,
  values: Float64Array,
  { unknown, width, stride, start }: { unknown: Uint8Array; width: number; stride: number; start: number },
): void {
  let cell = stride + 1;
  for (let pixel = 0; pixel < plane.length; cell += 3) {
    for (const end = pixel + width; pixel < end; pixel++, cell++) values[cell] = unknown[cell] ? start : plane[pixel];
  }
}

function gather(values: Float64Array, plane: Float32Array, { runs, length, stride, width }: Level): void {
  for (let run = 0; run < length; run += 2) {
    const row = Math.floor(runs[run] / stride) - 1;
    const shift = row * width - (row + 1) * stride - 1;
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) plane[cell + shift] = values[cell];
  }
}

/** One V-cycle from a level's right side to its solution. */
function cycle(levels: readonly Level[], at: number): void {
  const level = levels[at];
  const { runs, length, right, rest, coarse, solution, relaxing } = level;
  for (let run = 0; run < length; run += 2) {
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) coarse[cell] = relaxing[cell] * right[cell];
  }
  const next = levels[at + 1];
  if (next && next.length > 0) {
    leave(level, { right, values: coarse, rest });
    mirror(level, rest);
    restrict(level, next);
    cycle(levels, at + 1);
    mirror(next, next.solution);
    interpolate(next, level);
  } else {
    relax(level, coarse, rest);
    relax(level, rest, coarse);
  }
  relax(level, coarse, solution);
}

/** One sweep over all unknown cells at once, from one solution to a better one. */
function relax(level: Level, from: Float64Array, to: Float64Array): void {
  const { runs, length, stride, diagonal, relaxing, right: goal } = level;
  for (let run = 0; run < length; run += 2) {
    const start = runs[run];
    const end = runs[run + 1];
    let before = from[start - 1 - stride] + from[start - 1 + stride];
    let here = from[start - stride] + from[start + stride];
    let left = from[start - 1];
    let value = from[start];
    for (let cell = start; cell < end; cell++) {
      const right = from[cell + 1];
      const after = from[cell + 1 - stride] + from[cell + 1 + stride];
      const pull = BESIDE * (left + right + here) + CORNER * (before + after);
      to[cell] = value + relaxing[cell] * (goal[cell] + pull - diagonal[cell] * value);
      before = here;
      here = after;
      left = value;
      value = right;
    }
  }
}

/**
 * What a solution leaves of the right side: right − A·values, A the weighted differences of unknown cells from their
 * neighbours. Sums of a column's outer cells serve three cells.
 */
function leave({ runs, length, stride, diagonal }: Level, { right: goal, values, rest }: Leaving): void {
  for (let run = 0; run < length; run += 2) {
    const start = runs[run];
    const end = runs[run + 1];
    let before = values[start - 1 - stride] + values[start - 1 + stride];
    let here = values[start - stride] + values[start + stride];
    let left = values[start - 1];
    let value = values[start];
    for (let cell = start; cell < end; cell++) {
      const right = values[cell + 1];
      const after = values[cell + 1 - stride] + values[cell + 1 + stride];
      const pull = BESIDE * (left + right + here) + CORNER * (before + after);
      rest[cell] = goal[cell] + pull - diagonal[cell] * value;
      before = here;
      here = after;
      left = value;
      value = right;
    }
  }
}

interface Leaving {
  readonly right: Float64Array;
  readonly values: Float64Array;
  readonly rest: Float64Array;
}

function dot({ runs, length }: Level, left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let run = 0; run < length; run += 2) {
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) sum += left[cell] * right[cell];
  }
  return sum;
}
