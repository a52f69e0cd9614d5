/** A symmetric matrix over the cells of a grid: a diagonal, and for each cell the weights that tie it to four others. */
export interface Level {
  readonly height: number;
  readonly width: number;
  /** 0 for a cell that takes no part. */
  readonly diagonal: Float64Array;
  /** For each of `offsets` and each cell, minus the entry of the matrix; 0 where there is no tie. */
  readonly ties: readonly Float64Array[];
  /** The cell of the next coarser grid that each cell belongs to. */
  readonly blocks: Uint32Array;
}

/** Row and column offset of the cells that ties lead to; the other four neighbours hold the same ties. */
export const offsets = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;

/** How much a correction from a coarser grid is stretched: constant blocks make its matrix about twice too stiff. */
const STRETCH = 1.8;

/** The matrix, and ever coarser ones whose cells are blocks of 2×2, down to a handful of cells. */
export function hierarchy(finest: Level): readonly Level[] {
  const levels = [finest];
  for (let level = finest; level.height * level.width > 4; ) {
    level = coarsened(level);
    levels.push(level);
  }
  return levels;
}

/**
 * Solves a system by conjugate gradients, with one V-cycle of the hierarchy as preconditioner.
 *
 * @param start a first guess, of which cells that take no part are 0
 * @param tolerance of the residual's norm over that of the right side
 */
export function solve(
  levels: readonly Level[],
  right: Float64Array,
  { start, tolerance }: { start: Float64Array; tolerance: number },
): Float64Array {
  const solution = start.slice();
  const residual = remainder(levels[0], right, solution);
  const limit = tolerance ** 2 * dot(right, right);
  let direction: Float64Array | undefined;
  let energy = 0;
  for (let step = 0; step < 1000 && dot(residual, residual) > limit; step++) {
    const corrected = cycle(levels, residual);
    const before = energy;
    energy = dot(residual, corrected);
    const previous = direction;
    direction = previous ? corrected.map((value, cell) => value + (energy / before) * previous[cell]) : corrected;
    const applied = product(levels[0], direction);
    const length = energy / dot(direction, applied);
    for (let cell = 0; cell < solution.length; cell++) {
      solution[cell] += length * direction[cell];
      residual[cell] -= length * applied[cell];
    }
  }
  return solution;
}

/** One V-cycle: smooth, correct from the coarser grid, smooth in reverse. */
function cycle(levels: readonly Level[], right: Float64Array): Float64Array {
  const [level, ...coarser] = levels;
  const solution = new Float64Array(right.length);
  if (coarser.length === 0) {
    for (let sweep = 0; sweep < 8; sweep++) smooth(level, right, solution);
    return solution;
  }
  smoothForward(level, right, solution);
  const rest = remainder(level, right, solution);
  const sums = new Float64Array(coarser[0].diagonal.length);
  for (let cell = 0; cell < rest.length; cell++) sums[level.blocks[cell]] += rest[cell];
  const correction = cycle(coarser, sums);
  for (let cell = 0; cell < rest.length; cell++) {
    if (level.diagonal[cell] > 0) solution[cell] += STRETCH * correction[level.blocks[cell]];
  }
  smoothBackward(level, right, solution);
  return solution;
}

/** Gauss–Seidel, forward and back: symmetric, as conjugate gradients need it. */
function smooth(level: Level, right: Float64Array, solution: Float64Array): void {
  smoothForward(level, right, solution);
  smoothBackward(level, right, solution);
}

function smoothForward(level: Level, right: Float64Array, solution: Float64Array): void {
  for (let cell = 0; cell < solution.length; cell++) relax(level, right, solution, cell);
}

function smoothBackward(level: Level, right: Float64Array, solution: Float64Array): void {
  for (let cell = solution.length - 1; cell >= 0; cell--) relax(level, right, solution, cell);
}

function relax(level: Level, right: Float64Array, solution: Float64Array, cell: number): void {
  const { diagonal } = level;
  if (diagonal[cell] > 0) solution[cell] = (right[cell] + pull(level, solution, cell)) / diagonal[cell];
}

/** Weighted sum over the up to eight cells that a cell is tied to. Ties never leave the grid. */
function pull({ width, ties: [across, down, diagonal, anti] }: Level, values: Float64Array, cell: number): number {
  let sum = 0;
  if (across[cell] !== 0) sum += across[cell] * values[cell + 1];
  if (down[cell] !== 0) sum += down[cell] * values[cell + width];
  if (diagonal[cell] !== 0) sum += diagonal[cell] * values[cell + width + 1];
  if (anti[cell] !== 0) sum += anti[cell] * values[cell + width - 1];
  if (cell >= 1) sum += across[cell - 1] * values[cell - 1];
  if (cell >= width) sum += down[cell - width] * values[cell - width];
  if (cell >= width + 1) sum += diagonal[cell - width - 1] * values[cell - width - 1];
  if (cell >= width - 1) sum += anti[cell - width + 1] * values[cell - width + 1];
  return sum;
}

function product(level: Level, values: Float64Array): Float64Array {
  const result = new Float64Array(values.length);
  for (let cell = 0; cell < values.length; cell++) {
    if (level.diagonal[cell] > 0) result[cell] = level.diagonal[cell] * values[cell] - pull(level, values, cell);
  }
  return result;
}

function remainder(level: Level, right: Float64Array, solution: Float64Array): Float64Array {
  const result = product(level, solution);
  for (let cell = 0; cell < result.length; cell++) result[cell] = right[cell] - result[cell];
  return result;
}

/** The matrix as blocks of 2×2 cells see it, each block moving as one. */
function coarsened(level: Level): Level {
  const [height, width] = [Math.ceil(level.height / 2), Math.ceil(level.width / 2)];
  const half = emptyLevel(height, width);
  for (let cell = 0; cell < level.diagonal.length; cell++) {
    const block = level.blocks[cell];
    half.diagonal[block] += level.diagonal[cell];
    for (let at = 0; at < offsets.length; at++) {
      const [down, right] = offsets[at];
      const weight = level.ties[at][cell];
      if (weight !== 0) addTie(half, [block, level.blocks[cell + down * level.width + right]], weight);
    }
  }
  return half;
}

/** A tie inside a block leaves the diagonal, twice; one between blocks is kept by whichever comes first. */
function addTie(level: Level, [from, to]: readonly [number, number], weight: number): void {
  if (from === to) {
    level.diagonal[from] -= 2 * weight;
    return;
  }
  const [first, second] = from < to ? [from, to] : [to, from];
  const distance = second - first;
  const sideways = (second % level.width) - (first % level.width);
  const at = distance === 1 && sideways === 1 ? 0 : 2 - Number(sideways === 0) + Number(sideways === -1);
  level.ties[at][first] += weight;
}

/** A matrix of zeros. */
export function emptyLevel(height: number, width: number): Level {
  const zeros = () => new Float64Array(height * width);
  const blocks = new Uint32Array(height * width);
  for (let row = 0; row < height; row++) {
    const start = (row >> 1) * Math.ceil(width / 2);
    for (let column = 0; column < width; column++) blocks[row * width + column] = start + (column >> 1);
  }
  return { height, width, diagonal: zeros(), ties: offsets.map(zeros), blocks };
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index] * right[index];
  return sum;
}
