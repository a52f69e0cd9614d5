// Grids of wasm/grid.ts: sizes, weights, and where their arrays are.
//
// Grids have a border on all sides: cell (row, column) lies at (row + 1)·stride + column + 1. On coarse grids the border
// holds what a smooth solution has beyond the image; on the finest it stays 0. Numbers of known cells stay 0 in every array
// but the values of the finest grid, and so do all of the coarse grids and all errors between two calls.

/** Weights of the finest grid, a sixth beside and a twelfth across the corner, and of all coarse ones together. */
const STIFFNESS: f64 = 1.0 / 3.0;

/** A grid's sizes and where its arrays are. */
export class Level {
  height: i32 = 0;
  width: i32 = 0;
  stride: i32 = 0;
  /** Sets of cells: rows of whole words of 64 bits, `words` each. */
  words: i32 = 0;
  unknown: usize = 0;
  /** Known, or where the coarse grids are wrong: cells with known ones in them, and at sides that do not halve. */
  rough: usize = 0;
  /** All cells in it are unknown and not rough: it takes over their mean. */
  smooth: usize = 0;
  /** Unknown, further inside: the next grid's solution, interpolated. */
  deep: usize = 0;
  /**
   * Unknown, and at most three cells from rough ones; at most eight, on coarse grids seven; the next ones; all further inside;
   * those that the grid before knows better, which take over its mean or its error alone.
   */
  hot: Cells = new Cells();
  near: Runs = new Runs();
  halo: Runs = new Runs();
  inside: Runs = new Runs();
  covered: Runs = new Runs();
  mean: Runs = new Runs();
  other: Runs = new Runs();
  /** Cells with a hold. */
  held: Cells = new Cells();
  /** Floats: what holds a cell, the weights of its neighbours and that together, and one over them. */
  hold: usize = 0;
  diagonal: usize = 0;
  inverse: usize = 0;
  value: usize = 0;
  right: usize = 0;
  /** Bytes from one right side to the next: none on the finest grid, where they are all the same 0. */
  step: i32 = 16;
  rest: usize = 0;
  error: usize = 0;
  /** Whether a cell at a side is unknown. */
  open: bool = false;
  /** Weights of neighbours. */
  beside: f32 = 0;
  corner: f32 = 0;
  /** How far the border follows the second cell rather than the first: above and left, below, right. */
  before: f32 = 0;
  below: f32 = 0;
  after: f32 = 0;
}

/** Runs of cells in a row: the first and the one after the last of each; even rows before odd ones. */
export class Runs {
  start: usize = 0;
  middle: usize = 0;
  end: usize = 0;
}

/**
 * Cells one by one, where runs are too short to be worth it, in four colours by whether their row and column are even: none
 * waits for another of its colour.
 */
export class Cells {
  start: usize = 0;
  end: usize = 0;
}

/** From the finest to the coarsest. */
export let levels: Level[] = [];

/** Makes the grids of images of this size. */
export function makeLevels(height: i32, width: i32): void {
  levels = [];
  let rows = height;
  let columns = width;
  for (let at = 0; ; at++) {
    levels.push(levelOf(at, rows, columns, height, width));
    if (rows * columns <= 16) break;
    rows = (rows + 1) >> 1;
    columns = (columns + 1) >> 1;
  }
}

/** Bytes, all 0. */
export function room(size: usize): usize {
  const start = heap.alloc(size);
  memory.fill(start, 0, size);
  return start;
}

function levelOf(at: i32, rows: i32, columns: i32, height: i32, width: i32): Level {
  const level = new Level();
  level.height = rows;
  level.width = columns;
  level.stride = (columns + 4) & -2; // one more for the last cells of an odd side, and even
  const cells = (rows + 3) * level.stride;
  level.words = (columns + 63) >> 6;
  level.unknown = room(8 * rows * level.words);
  level.rough = room(8 * rows * level.words);
  level.smooth = room(8 * rows * level.words);
  level.deep = room(8 * rows * level.words);
  const most = 4 * rows * (columns + 2);
  level.hot.start = room(4 * rows * columns);
  level.near.start = room(most);
  level.halo.start = room(most);
  level.inside.start = room(most);
  level.covered.start = room(most);
  level.mean.start = room(most);
  level.other.start = room(most);
  level.held.start = room(4 * rows * columns);
  level.held.end = level.held.start;
  level.hold = room(4 * cells);
  level.diagonal = room(4 * cells);
  level.inverse = room(4 * cells);
  level.value = room(16 * cells);
  if (at === 0) level.step = 0;
  level.right = room(at === 0 ? 16 : 16 * cells);
  level.rest = room(16 * cells);
  level.error = room(16 * cells);
  // the share of corners with which a plane wave that solves the finest equations solves these, to the fifth order
  const side = <f64>(1 << at);
  const share = 1.0 / 6.0 + 1.0 / (12.0 * side * side);
  level.corner = <f32>(STIFFNESS * share);
  level.beside = <f32>(STIFFNESS * (1.0 - 2.0 * share));
  level.before = mirrorOf(0, side);
  level.below = mirrorOf(side * <f64>rows - <f64>height, side);
  level.after = mirrorOf(side * <f64>columns - <f64>width, side);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const cell = (row + 1) * level.stride + column + 1;
      weigh(level, cell, at === 0 ? weight(row, column, rows, columns) : unheld(level));
    }
  }
  return level;
}

/** The sum of a coarse cell's weights where nothing holds it. */
export function unheld(level: Level): f32 {
  return (level.beside + level.corner) * 4;
}

/** The sum of the finest weights inside the image. */
function weight(row: i32, column: i32, height: i32, width: i32): f32 {
  const down = i32(row > 0) + i32(row < height - 1);
  const across = i32(column > 0) + i32(column < width - 1);
  return <f32>(<f64>(down + across) / 6.0 + <f64>(down * across) / 12.0);
}

/**
 * Weights that end at the image's side make a mirror of it that lies a quarter of a finest cell inside. A parabola about it
 * through the two last cells tells what lies beyond.
 *
 * @param excess how far the grid reaches beyond the image, in finest cells
 */
function mirrorOf(excess: f64, side: f64): f32 {
  const inside = (excess + 0.25) / side;
  return <f32>Math.min(1, inside / (1 - inside));
}

export function weigh(level: Level, cell: i32, sum: f32): void {
  store<f32>(level.diagonal + 4 * cell, sum);
  store<f32>(level.inverse + 4 * cell, sum > 0 ? 1 / sum : 0);
}
