/**
 * A symmetric matrix over the cells of a grid: a diagonal, and for each cell the weights that tie it to eight others.
 *
 * The grid has a border of one cell on all sides that takes no part, so that no cell needs to ask whether it has a
 * neighbour: cell (row, column) lies at (row + 1)·stride + column + 1.
 */
export interface Level {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** 0 for a cell that takes no part. */
  readonly diagonal: Float64Array;
  /** For each of `neighbours` and each cell, minus the entry of the matrix; 0 where there is no tie. */
  readonly across: Float64Array;
  readonly down: Float64Array;
  readonly falling: Float64Array;
  readonly rising: Float64Array;
}

/** Where ties lead to, in rows and columns; the other four neighbours hold the same ties. */
export const neighbours = [
  { tie: 'across', rows: 0, columns: 1 },
  { tie: 'down', rows: 1, columns: 0 },
  { tie: 'falling', rows: 1, columns: 1 },
  { tie: 'rising', rows: 1, columns: -1 },
] as const;

/** A level with what the solver asks of it again and again. */
interface Prepared extends Level {
  /** Cells that take part, in ascending order. */
  readonly cells: Uint32Array;
  /** For every cell, also of those that take no part, the one of the next coarser grid. */
  readonly blocks: Uint32Array;
  /** One over the diagonal. */
  readonly inverse: Float64Array;
  /** One cycle's right side and solution. */
  readonly right: Float64Array;
  readonly solution: Float64Array;
}

/** A matrix and ever coarser ones whose cells are blocks of 2×2, with room to work; for one solution at a time. */
export type Hierarchy = readonly Prepared[];

/** How much a correction from a coarser grid is stretched: constant blocks make its matrix about twice too stiff. */
const STRETCH = 1.8;

/** The matrix, and ever coarser ones, down to a handful of cells. */
export function hierarchy(finest: Level): Hierarchy {
  const levels = [prepared(finest)];
  while (levels[levels.length - 1].height * levels[levels.length - 1].width > 4) {
    levels.push(prepared(coarsened(levels[levels.length - 1])));
  }
  return levels;
}

/**
 * Solves a system by conjugate gradients, with one V-cycle of the hierarchy as preconditioner.
 *
 * @param right as the solution laid out over the finest grid with its border, 0 at cells that take no part
 * @param start a first guess, laid out alike
 * @param tolerance of the residual's norm over that of the right side
 */
export function solve(
  levels: Hierarchy,
  right: Float64Array,
  { start, tolerance }: { start: Float64Array; tolerance: number },
): Float64Array {
  const [{ cells, right: residual, solution: corrected }] = levels;
  const solution = start.slice();
  const applied = new Float64Array(solution.length);
  const direction = new Float64Array(solution.length);
  multiply(levels[0], solution, applied);
  for (let index = 0; index < cells.length; index++)
    residual[cells[index]] = right[cells[index]] - applied[cells[index]];
  const limit = tolerance ** 2 * dot(cells, right, right);
  let energy = 0;
  for (let step = 0; step < 1000 && dot(cells, residual, residual) > limit; step++) {
    corrected.fill(0);
    cycle(levels, 0);
    const before = energy;
    energy = dot(cells, residual, corrected);
    const turn = step === 0 ? 0 : energy / before;
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index];
      direction[cell] = corrected[cell] + turn * direction[cell];
    }
    multiply(levels[0], direction, applied);
    const length = energy / dot(cells, direction, applied);
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index];
      solution[cell] += length * direction[cell];
      residual[cell] -= length * applied[cell];
    }
  }
  return solution;
}

/**
 * One V-cycle from a level's right side to its solution: smooth, correct from the coarser grid, smooth in reverse. The
 * first sweep starts from 0, so that cells not yet reached pull at nothing: it leaves what they come to pull.
 */
function cycle(levels: Hierarchy, at: number): void {
  const level = levels[at];
  const { cells, blocks, solution, right, inverse } = level;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    solution[cell] = (right[cell] + pullBefore(level, solution, cell)) * inverse[cell];
  }
  if (at + 1 < levels.length) {
    const coarser = levels[at + 1];
    coarser.right.fill(0);
    coarser.solution.fill(0);
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index];
      coarser.right[blocks[cell]] += pullAfter(level, solution, cell);
    }
    cycle(levels, at + 1);
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index];
      solution[cell] += STRETCH * coarser.solution[blocks[cell]];
    }
  }
  for (let index = cells.length - 1; index >= 0; index--) {
    const cell = cells[index];
    const pull = pullBefore(level, solution, cell) + pullAfter(level, solution, cell);
    solution[cell] = (right[cell] + pull) * inverse[cell];
  }
}

/** Weighted sum over the four neighbours before a cell. */
function pullBefore({ stride, across, down, falling, rising }: Level, values: Float64Array, cell: number): number {
  const above = cell - stride;
  return (
    falling[above - 1] * values[above - 1] +
    down[above] * values[above] +
    rising[above + 1] * values[above + 1] +
    across[cell - 1] * values[cell - 1] // last: a sweep waits for it
  );
}

/** Weighted sum over the four neighbours after a cell. */
function pullAfter({ stride, across, down, falling, rising }: Level, values: Float64Array, cell: number): number {
  const below = cell + stride;
  return (
    falling[cell] * values[below + 1] +
    down[cell] * values[below] +
    rising[cell] * values[below - 1] +
    across[cell] * values[cell + 1]
  );
}

function multiply(level: Prepared, values: Float64Array, product: Float64Array): void {
  const { cells, diagonal } = level;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    product[cell] = diagonal[cell] * values[cell] - pullBefore(level, values, cell) - pullAfter(level, values, cell);
  }
}

function dot(cells: Uint32Array, left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < cells.length; index++) sum += left[cells[index]] * right[cells[index]];
  return sum;
}

/** The matrix as blocks of 2×2 cells see it, each block moving as one. */
function coarsened(level: Prepared): Level {
  const { cells, blocks, diagonal } = level;
  const half = emptyLevel(Math.ceil(level.height / 2), Math.ceil(level.width / 2));
  for (const cell of cells) half.diagonal[blocks[cell]] += diagonal[cell];
  for (const { tie, rows, columns } of neighbours) {
    const weights = level[tie];
    const step = rows * level.stride + columns;
    for (const cell of cells) if (weights[cell] !== 0) join(half, [blocks[cell], blocks[cell + step]], weights[cell]);
  }
  return half;
}

/** A tie inside a block leaves the diagonal, twice; one between blocks is kept by whichever comes first. */
function join(level: Level, [one, other]: readonly [number, number], weight: number): void {
  const distance = Math.abs(other - one);
  if (distance === 0) level.diagonal[one] -= 2 * weight;
  else tieOver(level, distance)[Math.min(one, other)] += weight;
}

function tieOver({ stride, across, down, falling, rising }: Level, distance: number): Float64Array {
  if (distance === 1) return across;
  if (distance === stride) return down;
  return distance === stride + 1 ? falling : rising;
}

/** A matrix of zeros. */
export function emptyLevel(height: number, width: number): Level {
  const stride = width + 2;
  const zeros = () => new Float64Array((height + 2) * stride);
  const ties = { across: zeros(), down: zeros(), falling: zeros(), rising: zeros() };
  return { height, width, stride, diagonal: zeros(), ...ties };
}

function prepared(level: Level): Prepared {
  const { height, width, stride, diagonal } = level;
  const halfStride = Math.ceil(width / 2) + 2;
  const cells = new Uint32Array(height * width);
  const blocks = new Uint32Array(diagonal.length);
  const inverse = new Float64Array(diagonal.length);
  let count = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const cell = (row + 1) * stride + column + 1;
      blocks[cell] = ((row >> 1) + 1) * halfStride + (column >> 1) + 1;
      if (!(diagonal[cell] > 0)) continue;
      inverse[cell] = 1 / diagonal[cell];
      cells[count++] = cell;
    }
  }
  const [right, solution] = [new Float64Array(diagonal.length), new Float64Array(diagonal.length)];
  return { ...level, cells: cells.subarray(0, count), blocks, inverse, right, solution };
}
