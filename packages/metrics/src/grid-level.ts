/** Weights of the neighbours beside a cell and across its corners. */
export const BESIDE = 1 / 6;
export const CORNER = 1 / 12;

/** How much of a cell's residual a sweep takes away. */
const DAMPING = 0.85;

/**
 * A grid with a border on all sides: cell (row, column) lies at (row + 1)·stride + column + 1. What belongs to
 * one set of unknown cells is written anew for the next, in the same memory.
 */
export interface Level {
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
  /** 0 outside the unknown cells, but for what `mirror` writes. */
  readonly right: Float64Array;
  readonly rest: Float64Array;
  readonly coarse: Float64Array;
  readonly solution: Float64Array;
}

/** Room for a number in every cell, the border included. */
export function numbers({ height, stride }: Pick<Level, 'height' | 'stride'>): Float64Array {
  return new Float64Array((height + 3) * stride);
}

/** A grid without unknown cells. */
export function emptyLevel(height: number, width: number): Level {
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
export function prepare(levels: readonly Level[], unknown: Uint8Array): void {
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

/**
 * Repeats the cells at the sides beyond them, so that interpolation, and its transpose, see no edge there. The far side of an
 * odd grid has no cell that would look across it.
 */
export function mirror({ height, width, stride }: Level, values: Float64Array): void {
  const [bottom, last] = [(height & 1) === 0, (width & 1) === 0];
  for (let cell = stride + 1; cell <= height * stride + 1; cell += stride) {
    values[cell - 1] = values[cell];
    values[cell + width] = last ? values[cell + width - 1] : 0;
  }
  values.copyWithin(0, stride, stride + width + 2);
  const below = (height + 1) * stride;
  if (bottom) values.copyWithin(below, below - stride, below - stride + width + 2);
}

/** The transpose of `interpolate`: what the rest of a fine grid means to the coarse one. */
export function restrict(fine: Level, coarse: Level): void {
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
export function interpolate(coarse: Level, fine: Level): void {
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
