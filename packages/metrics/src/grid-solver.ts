/** Weights of the neighbours beside a cell and across its corners. */
const BESIDE = 1 / 6;
const CORNER = 1 / 12;

/** How much of a cell's residual a sweep takes away. */
const DAMPING = 0.85;

/**
 * A grid with a border on all sides: cell (row, column) lies at (row + 1)·stride + column + 1. What belongs to
 * one set of unknown cells is written anew for the next, in the same memory.
 */
interface Level {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** For every cell the weights of its neighbours inside the grid, and the damping over their sum. */
  readonly diagonal: Float64Array;
  readonly relaxing: Float64Array;
  /** 1 for an unknown cell. */
  readonly unknown: Uint8Array;
  /** Runs of unknown cells in a row: first cell and the one after the last, for each. */
  readonly runs: Int32Array;
  /** Numbers in `runs`. */
  length: number;
  /** 0 outside the unknown cells. */
  readonly right: Float64Array;
  readonly rest: Float64Array;
  readonly coarse: Float64Array;
  readonly solution: Float64Array;
}

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
  const applied = numbers(finest);
  const fill = (plane: Float32Array, start: number, tolerance: number) => {
    const { runs, length, right: residual, solution: corrected, unknown, stride } = finest;
    spread(plane, values, { unknown, width, stride, start: 0 });
    residualOf(finest, values, residual); // without the unknown: what the known contribute
    const limit = tolerance ** 2 * dot(finest, residual, residual);
    spread(plane, values, { unknown, width, stride, start });
    residualOf(finest, values, residual);
    direction.fill(0);
    let energy = 0;
    for (let step = 0; step < 1000 && dot(finest, residual, residual) > limit; step++) {
      cycle(levels, 0);
      const before = energy;
      energy = dot(finest, residual, corrected);
      const turn = step === 0 ? 0 : energy / before;
      for (let run = 0; run < length; run += 2) {
        for (let cell = runs[run]; cell < runs[run + 1]; cell++)
          direction[cell] = corrected[cell] + turn * direction[cell];
      }
      multiply(finest, direction, applied);
      const stepLength = energy / dot(finest, direction, applied);
      for (let run = 0; run < length; run += 2) {
        for (let cell = runs[run]; cell < runs[run + 1]; cell++) {
          values[cell] += stepLength * direction[cell];
          residual[cell] -= stepLength * applied[cell];
        }
      }
    }
    gather(values, plane, finest);
  };
  return { prepare: (unknown) => prepare(levels, unknown), fill };
}

function numbers({ height, stride }: Pick<Level, 'height' | 'stride'>): Float64Array {
  return new Float64Array((height + 3) * stride);
}

function emptyLevel(height: number, width: number): Level {
  const stride = width + 3; // one more, for the last cells of an odd side
  const size = { height, stride };
  const diagonal = numbers(size);
  const relaxing = numbers(size);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const beside = Number(row > 0) + Number(row < height - 1) + Number(column > 0) + Number(column < width - 1);
      const corners = (Number(row > 0) + Number(row < height - 1)) * (Number(column > 0) + Number(column < width - 1));
      const cell = (row + 1) * stride + column + 1;
      diagonal[cell] = BESIDE * beside + CORNER * corners;
      relaxing[cell] = diagonal[cell] > 0 ? DAMPING / diagonal[cell] : 0;
    }
  }
  return {
    height,
    width,
    stride,
    diagonal,
    relaxing,
    unknown: new Uint8Array((height + 3) * stride),
    runs: new Int32Array(height * (width + 2)),
    length: 0,
    right: numbers(size),
    rest: numbers(size),
    coarse: numbers(size),
    solution: numbers(size),
  };
}

/** Marks the unknown cells of every grid. */
function prepare(levels: readonly Level[], unknown: Uint8Array): void {
  const [finest] = levels;
  for (let row = 0; row < finest.height; row++) {
    const start = row * finest.width;
    finest.unknown.set(unknown.subarray(start, start + finest.width), (row + 1) * finest.stride + 1);
  }
  for (let at = 1; at < levels.length; at++) coarsen(levels[at - 1], levels[at]);
  for (const level of levels) {
    findRuns(level);
    for (const own of [level.right, level.rest, level.coarse, level.solution]) own.fill(0);
  }
}

/** A coarse cell is unknown where all of its cells that lie inside the grid are. */
function coarsen(fine: Level, coarse: Level): void {
  for (let row = 0; row < coarse.height; row++) {
    for (let column = 0; column < coarse.width; column++) {
      const first = (2 * row + 1) * fine.stride + 2 * column + 1;
      const right = 2 * column + 1 < fine.width ? 1 : 0;
      const below = 2 * row + 1 < fine.height ? fine.stride : 0;
      const { unknown } = fine;
      coarse.unknown[(row + 1) * coarse.stride + column + 1] =
        unknown[first] & unknown[first + right] & unknown[first + below] & unknown[first + below + right];
    }
  }
}

function findRuns(level: Level): void {
  const { unknown, runs } = level;
  let length = 0;
  for (let cell = 1; cell < unknown.length; cell++) if (unknown[cell] !== unknown[cell - 1]) runs[length++] = cell;
  level.length = length; // the border is known, so runs end
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
    leave(level, coarse, rest);
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

/** What a solution leaves of the right side: right − A·values. */
function leave(level: Level, values: Float64Array, rest: Float64Array): void {
  const { runs, length, right } = level;
  multiply(level, values, rest);
  for (let run = 0; run < length; run += 2) {
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) rest[cell] = right[cell] - rest[cell];
  }
}

/** residual = −A·values, with the known values in place. */
function residualOf(level: Level, values: Float64Array, residual: Float64Array): void {
  const { runs, length } = level;
  multiply(level, values, residual);
  for (let run = 0; run < length; run += 2) {
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) residual[cell] = -residual[cell];
  }
}

/**
 * Repeats the cells at the sides beyond them, so that interpolation, and its transpose, see no edge there. The far side of an
 * odd grid has no cell that would look across it.
 */
function mirror({ height, width, stride }: Level, values: Float64Array): void {
  const [bottom, last] = [(height & 1) === 0, (width & 1) === 0];
  for (let cell = stride + 1; cell <= height * stride + 1; cell += stride) {
    values[cell - 1] = values[cell];
    values[cell + width] = last ? values[cell + width - 1] : 0;
  }
  values.copyWithin(0, stride, stride + width + 2);
  const below = (height + 1) * stride;
  if (bottom) values.copyWithin(below, below - stride, below - stride + width + 2);
}

/** Weighted differences of unknown cells from their neighbours. Sums of a column's outer cells serve three cells. */
function multiply({ runs, length, stride, diagonal }: Level, values: Float64Array, product: Float64Array): void {
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
      product[cell] = diagonal[cell] * value - BESIDE * (left + right + here) - CORNER * (before + after);
      before = here;
      here = after;
      left = value;
      value = right;
    }
  }
}

function dot({ runs, length }: Level, left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let run = 0; run < length; run += 2) {
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) sum += left[cell] * right[cell];
  }
  return sum;
}

/** The transpose of `interpolate`: what the rest of a fine grid means to the coarse one. */
function restrict(fine: Level, coarse: Level): void {
  const { stride: across, rest } = fine;
  const { runs, length, stride, right } = coarse;
  for (let run = 0; run < length; run += 2) {
    const row = Math.floor(runs[run] / stride) - 1;
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) {
      const b = (2 * row + 1) * across + 2 * (cell - (row + 1) * stride - 1) + 1; // the first of the four
      const a = b - across;
      const c = b + across;
      const d = c + across;
      const outer = rest[a - 1] + rest[a + 2] + rest[d - 1] + rest[d + 2];
      const edge =
        rest[a] + rest[a + 1] + rest[d] + rest[d + 1] + rest[b - 1] + rest[b + 2] + rest[c - 1] + rest[c + 2];
      const inner = rest[b] + rest[b + 1] + rest[c] + rest[c + 1];
      right[cell] = 0.0625 * outer + 0.1875 * edge + 0.5625 * inner;
    }
  }
}

/** Adds the coarse solution to the fine one: 9/16 of the cell it lies in, 3/16 of the near ones, 1/16 across the corner. */
function interpolate(coarse: Level, fine: Level): void {
  const { stride: half, solution } = coarse;
  const { runs, length, stride, coarse: values } = fine;
  for (let run = 0; run < length; run += 2) {
    const row = Math.floor(runs[run] / stride) - 1;
    const shift = (row + 1) * stride + 1;
    const near = ((row >> 1) + 1) * half + 1;
    const far = (row & 1) === 1 ? near + half : near - half;
    for (let cell = runs[run]; cell < runs[run + 1]; cell++) {
      const column = cell - shift;
      const at = column >> 1;
      const other = at + (column & 1) * 2 - 1;
      values[cell] +=
        0.5625 * solution[near + at] +
        0.1875 * (solution[near + other] + solution[far + at]) +
        0.0625 * solution[far + other];
    }
  }
}
