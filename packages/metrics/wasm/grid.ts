// AssemblyScript: `pnpm wasm` compiles it into src/grid-wasm.ts. Fills unknown pixels so that each is the weighted mean of its
// neighbours, for up to four channels at once: a cell is four floats. grid-solver.ts tells the method.
//
// Grids have a border on all sides: cell (row, column) lies at (row + 1)·stride + column + 1. On coarse grids the border
// holds what a smooth solution has beyond the image; on the finest it stays 0. Numbers of known cells stay 0 in every array
// but the values of the finest grid, and so do all of the coarse grids and all errors between two calls.

/** Weights of the finest grid, a sixth beside and a twelfth across the corner, and of all coarse ones together. */
const STIFFNESS: f64 = 1.0 / 3.0;
/** Sweeps of the cells at most three from known ones, before and after a coarser grid; all that are near get one. */
const HOT_SWEEPS = 2;
/** More of them when nothing is solved yet. */
const FIRST_SWEEPS = 2;
/** Sweeps of the coarsest grid. */
const LAST_SWEEPS = 16;
/** Sweeps of an image so small that it is its own coarsest grid. */
const SMALL_SWEEPS = 2000;
/** So many grids before the coarsest are visited twice. */
const TWICE = 2;
/** What lies between a coarse cell and a known, or held, cell in it: fewest cycles over many shapes. */
const KNOWN_RESISTANCE: f32 = 0.9;
const HELD_RESISTANCE: f32 = 0.4;
/** No more than that, whatever the tolerance. */
const MOST_CYCLES = 200;
/** What float32 reaches, as a share of what the first cycle changed. */
const LEAST_SHARE: f32 = 1e-5;
/** The largest residual, by its mean square, in tolerances. */
const MOST_RESIDUAL: f32 = 0.1;
/** The most that the last cycle may have changed, in tolerances: the first ones tell little of the next. */
const MOST_CHANGE: f32 = 20;

/** A grid's sizes and where its arrays are. */
class Level {
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
  /** Unknown, and at most three cells from rough ones; at most eight, on coarse grids seven; the next ones; further inside; where the grid before knows better, and takes over a mean or the error alone. */
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
class Runs {
  start: usize = 0;
  middle: usize = 0;
  end: usize = 0;
}

/**
 * Cells one by one, where runs are too short to be worth it, in four colours by whether their row and column are even: none
 * waits for another of its colour.
 */
class Cells {
  start: usize = 0;
  end: usize = 0;
}

let levels: Level[] = [];
/** The means of the image's channels. */
let means: v128 = f32x4.splat(0);
/** Cells of a row. */
let line: usize = 0;
/** Sets, for the search of what is near. */
let marks: usize = 0;
/** What was filled last. */
let touched: usize = 0;
let wider: usize = 0;
/** Where the relevance of pixels, H·W floats, is written; planes of H·W floats for each of four channels: the image, what is added, what comes out. */
export let relevance: usize = 0;
export let image: usize = 0;
export let noise: usize = 0;
export let filled: usize = 0;

/** Makes room for images of this size; that for others is given up. */
export function layout(height: i32, width: i32): void {
  heap.reset();
  levels = [];
  let rows = height;
  let columns = width;
  for (let at = 0; ; at++) {
    levels.push(levelOf(at, rows, columns, height, width));
    if (rows * columns <= 16) break;
    rows = (rows + 1) >> 1;
    columns = (columns + 1) >> 1;
  }
  const size = height * width;
  relevance = room(4 * (size + 64));
  image = room(16 * size);
  noise = room(16 * size);
  filled = room(16 * size);
  line = room(16 * width);
  marks = room(8 * height * levels[0].words);
  wider = room(8 * height * levels[0].words);
  touched = room(8 * height * levels[0].words);
}

function room(size: usize): usize {
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
function unheld(level: Level): f32 {
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

function weigh(level: Level, cell: i32, sum: f32): void {
  store<f32>(level.diagonal + 4 * cell, sum);
  store<f32>(level.inverse + 4 * cell, sum > 0 ? 1 / sum : 0);
}

/** Takes the image from its planes. */
export function take(channels: i32): void {
  const finest = levels[0];
  const size = finest.height * finest.width;
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let pixel = 0; pixel < size; pixel++) {
    const numbers = colour(channels, 4 * size, image + 4 * pixel);
    low = f64x2.add(low, f64x2.promote_low_f32x4(numbers));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(numbers, numbers, 1, 1)));
  }
  const count = f64x2.splat(<f64>size);
  means = v128.shuffle<i64>(
    f32x4.demote_f64x2_zero(f64x2.div(low, count)),
    f32x4.demote_f64x2_zero(f64x2.div(high, count)),
    0,
    2,
  );
  for (let row = 0; row < finest.height; row++) {
    const first = (row + 1) * finest.stride + 1;
    centerRun(channels, finest, first, first + finest.width);
  }
  memory.copy(filled, image, 4 * channels * size);
  memory.fill(touched, 0, 8 * finest.height * finest.words);
}

/** The numbers of a pixel. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function colour(channels: i32, plane: i32, pixel: usize): v128 {
  let numbers = v128.load32_zero(pixel);
  if (channels > 1) numbers = f32x4.replace_lane(numbers, 1, load<f32>(pixel + plane));
  if (channels > 2) numbers = f32x4.replace_lane(numbers, 2, load<f32>(pixel + 2 * plane));
  if (channels > 3) numbers = f32x4.replace_lane(numbers, 3, load<f32>(pixel + 3 * plane));
  return numbers;
}

/** Values of cells are the image's, less the means. */
function center(channels: i32, finest: Level, runs: Runs): void {
  for (let run = runs.start; run < runs.end; run += 8) centerRun(channels, finest, load<i32>(run), load<i32>(run, 4));
}

function centerRun(channels: i32, finest: Level, first: i32, last: i32): void {
  const plane = 4 * finest.height * finest.width;
  const middle = means;
  let pixel = image + offsetOf(finest, first);
  let own = finest.value + 16 * first;
  for (const end = finest.value + 16 * last; own < end; own += 16, pixel += 4) {
    v128.store(own, f32x4.sub(colour(channels, plane, pixel), middle));
  }
}

/** Where a cell of the finest grid is in a plane. */
function offsetOf(finest: Level, cell: i32): i32 {
  const row = cell / finest.stride - 1;
  return 4 * (row * finest.width + cell - (row + 1) * finest.stride - 1);
}

/**
 * Fills the pixels of this relevance and more, starting from the image's mean; the planes that come out are the image's but there,
 * where what is to be added is added.
 *
 * @param tolerance about as large as the largest error, in the image's units
 * @param whole whether all cells of all grids are solved for, not only those near to rough ones
 */
export function fill(channels: i32, threshold: f32, tolerance: f64, whole: bool): void {
  const finest = levels[0];
  const size = finest.height * finest.width;
  const last = levels.length - 1;
  const missing = mark(finest, threshold);
  for (let at = 1; at <= last; at++) coarsen(levels[at - 1], levels[at]);
  for (let at = 0; at <= last; at++) {
    findRuns(levels[at], whole || at === last);
    if (at > 0) findCovered(levels[at - 1], levels[at]);
  }
  zero(finest.value, finest.near);
  zero(finest.value, finest.halo);
  if (missing > 0 && missing < size) solve(last, tolerance);
  restore(channels, finest);
  gather(channels, finest);
  for (let at = last - 1; at >= 0; at--) {
    border(levels[at + 1], levels[at + 1].value);
    if (at > 0) extend(levels[at + 1], levels[at], levels[at].inside);
    else extendOut(channels, levels[1], finest);
  }
  center(channels, finest, finest.near);
  center(channels, finest, finest.halo);
  for (let at = 0; at <= last; at++) clear(levels[at], at > 0);
}

/** The planes that come out are the image's where they were filled before and are not now. */
function restore(channels: i32, finest: Level): void {
  const bytes = 8 * finest.height * finest.words;
  without(wider, touched, finest.unknown, bytes);
  findRunsOf(finest, wider, finest.covered);
  const plane = 4 * finest.height * finest.width;
  for (let run = finest.covered.start; run < finest.covered.end; run += 8) {
    const first = load<i32>(run);
    const offset = offsetOf(finest, first);
    const length = 4 * (load<i32>(run, 4) - first);
    for (let channel = 0; channel < channels; channel++) {
      memory.copy(filled + channel * plane + offset, image + channel * plane + offset, length);
    }
  }
  memory.copy(touched, finest.unknown, bytes);
}

function solve(last: i32, tolerance: f64): void {
  if (last === 0) {
    for (let sweep = 0; sweep < SMALL_SWEEPS; sweep++) relax(levels[0], 0, levels[0].near);
    return;
  }
  let first = f32x4.splat(0);
  let before = f32x4.splat(0);
  let residual = f64.MAX_VALUE;
  let sweeps = HOT_SWEEPS;
  const cells = <f32>sizeOf(levels[0].near);
  for (let cycles = 0; cycles < MOST_CYCLES; cycles++) {
    change = f32x4.splat(0);
    cycle(0, last, sweeps, cycles === 0);
    if (cycles === 0) first = change;
    else if (done(tolerances(first, tolerance), before, cells)) return;
    const left = together(squares);
    if (left > 0.25 * residual) sweeps = min(2 * sweeps, 64); // more than half is left
    residual = left;
    before = change;
  }
}

/** The tolerance in each channel, but no less than can be reached. */
function tolerances(first: v128, tolerance: f64): v128 {
  return f32x4.max(f32x4.splat(<f32>tolerance), f32x4.mul(first, f32x4.splat(LEAST_SHARE)));
}

/** Whether in each channel residuals are small, and the next cycle would change less than the tolerance, going by the last. */
function done(tolerance: v128, before: v128, cells: f32): bool {
  const most = f32x4.mul(tolerance, f32x4.splat(MOST_RESIDUAL));
  const residuals = f32x4.le(squares, f32x4.mul(f32x4.splat(cells), f32x4.mul(most, most)));
  const changes = f32x4.le(change, f32x4.mul(tolerance, f32x4.splat(MOST_CHANGE)));
  const nexts = f32x4.le(f32x4.mul(change, change), f32x4.mul(before, tolerance));
  return i32x4.all_true(v128.and(v128.and(residuals, changes), nexts));
}

function sizeOf(runs: Runs): i32 {
  let size = 0;
  for (let run = runs.start; run < runs.end; run += 8) size += load<i32>(run, 4) - load<i32>(run);
  return size;
}

function together(numbers: v128): f64 {
  return (
    <f64>f32x4.extract_lane(numbers, 0) +
    <f64>f32x4.extract_lane(numbers, 1) +
    <f64>f32x4.extract_lane(numbers, 2) +
    <f64>f32x4.extract_lane(numbers, 3)
  );
}

/** The finest sets; how many cells are unknown. */
function mark(finest: Level, threshold: f32): i32 {
  let missing = 0;
  for (let row = 0; row < finest.height; row++) {
    for (let word = 0; word < finest.words; word++) {
      let unknown: u64 = 0;
      const first = relevance + 4 * (row * finest.width + 64 * word);
      for (let column = 0; column < 64; column += 4) {
        const more = f32x4.ge(v128.load(first + 4 * column), f32x4.splat(threshold));
        unknown |= <u64>i32x4.bitmask(more) << column;
      }
      unknown &= inside(finest, word);
      const offset = 8 * (row * finest.words + word);
      missing += <i32>popcnt(unknown);
      store<u64>(finest.unknown + offset, unknown);
      store<u64>(finest.rough + offset, inside(finest, word) & ~unknown);
    }
  }
  markSides(finest);
  return missing;
}

/** The columns of a word that a grid has. */
function inside(level: Level, word: i32): u64 {
  const columns = level.width - 64 * word;
  return columns >= 64 ? ~(<u64>0) : (<u64>1 << columns) - 1;
}

/** Cells at a side that does not halve are rough. */
function markSides(level: Level): void {
  const pitch = 8 * level.words;
  if ((level.height & 1) === 1) {
    const last = level.rough + (level.height - 1) * pitch;
    for (let word = 0; word < level.words; word++) store<u64>(last + 8 * word, inside(level, word));
  }
  if ((level.width & 1) === 1) {
    const bit = <u64>1 << ((level.width - 1) & 63);
    for (let row = 0; row < level.height; row++) {
      const end = level.rough + (row + 1) * pitch - 8;
      store<u64>(end, load<u64>(end) | bit);
    }
  }
}

/**
 * A coarse cell is unknown where one of its cells is. Known cells in it, and held ones, hold it: it is pulled to them through
 * a resistance.
 */
function coarsen(fine: Level, coarse: Level): void {
  const sum = unheld(coarse);
  for (let at = coarse.held.start; at < coarse.held.end; at += 4) setHold(coarse, load<i32>(at), sum, 0);
  let held = coarse.held.start;
  for (let row = 0; row < coarse.height; row++) {
    const top = 2 * row;
    const bottom = min(top + 1, fine.height - 1);
    for (let word = 0; word < coarse.words; word++) {
      let unknown: u64 = 0;
      let smooth: u64 = 0;
      for (let half = 0; half < 2 && 2 * word + half < fine.words; half++) {
        const upper = 8 * (top * fine.words + 2 * word + half);
        const lower = 8 * (bottom * fine.words + 2 * word + half);
        const either = load<u64>(fine.unknown + upper) | load<u64>(fine.unknown + lower);
        const rough = load<u64>(fine.rough + upper) | load<u64>(fine.rough + lower);
        unknown |= evenOf(either | (either >> 1)) << (32 * half);
        smooth |= evenOf(~(rough | (rough >> 1))) << (32 * half);
      }
      smooth &= inside(coarse, word);
      const offset = 8 * (row * coarse.words + word);
      store<u64>(coarse.unknown + offset, unknown);
      store<u64>(coarse.smooth + offset, smooth);
      store<u64>(coarse.rough + offset, inside(coarse, word) & ~smooth);
      for (let bits = unknown & ~smooth; bits !== 0; bits &= bits - 1) {
        const column = 64 * word + <i32>ctz(bits);
        const cell = (row + 1) * coarse.stride + column + 1;
        const right = min(2 * column + 1, fine.width - 1);
        const upper = holdOf(fine, top, 2 * column) + holdOf(fine, top, right);
        const lower = holdOf(fine, bottom, 2 * column) + holdOf(fine, bottom, right);
        setHold(coarse, cell, sum, upper + lower);
        store<i32>(held, cell);
        held += 4;
      }
    }
  }
  coarse.held.end = held;
  markSides(coarse);
}

/** The even bits side by side. */
function evenOf(bits: u64): u64 {
  bits &= 0x5555555555555555;
  bits = (bits | (bits >> 1)) & 0x3333333333333333;
  bits = (bits | (bits >> 2)) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | (bits >> 4)) & 0x00ff00ff00ff00ff;
  bits = (bits | (bits >> 8)) & 0x0000ffff0000ffff;
  return (bits | (bits >> 16)) & 0xffffffff;
}

function setHold(level: Level, cell: i32, sum: f32, hold: f32): void {
  store<f32>(level.hold + 4 * cell, hold);
  weigh(level, cell, sum + hold);
}

function holdOf(level: Level, row: i32, column: i32): f32 {
  const word = load<u64>(level.unknown + 8 * (row * level.words + (column >> 6)));
  if (((word >> (column & 63)) & 1) === 0) return 1 / KNOWN_RESISTANCE;
  const hold = load<f32>(level.hold + 4 * ((row + 1) * level.stride + column + 1));
  return hold / (1 + HELD_RESISTANCE * hold);
}

/** Finds the runs and lists of cells of a grid by how far they are from rough ones. */
function findRuns(level: Level, whole: bool): void {
  const bytes = 8 * level.height * level.words;
  const open = isOpen(level);
  if (level.open && !open) clearBorder(level);
  level.open = open;
  memory.copy(marks, level.rough, bytes);
  widen(level, 1);
  widen(level, 2);
  both(wider, marks, level.unknown, bytes);
  list(level, wider, level.hot);
  widen(level, 4);
  if (level === levels[0]) widen(level, 1);
  if (whole) memory.copy(marks, level.unknown, bytes);
  both(wider, marks, level.unknown, bytes);
  findRunsOf(level, wider, level.near);
  without(level.deep, level.unknown, wider, bytes);
  findRunsOf(level, level.deep, level.inside);
  if (level.inside.end === level.inside.start) {
    level.halo.end = level.halo.start;
    return;
  }
  widen(level, 1);
  both(wider, marks, level.deep, bytes);
  findRunsOf(level, wider, level.halo);
}

function isOpen(level: Level): bool {
  const pitch = 8 * level.words;
  const last = level.unknown + (level.height - 1) * pitch;
  const end = <u64>1 << ((level.width - 1) & 63);
  let open: u64 = 0;
  for (let offset = 0; offset < pitch; offset += 8) {
    open |= load<u64>(level.unknown + offset) | load<u64>(last + offset);
  }
  for (let row = level.unknown; row <= last; row += pitch) {
    open |= (load<u64>(row) & 1) | (load<u64>(row + pitch - 8) & end);
  }
  return open !== 0;
}

/** Nothing beyond the sides. */
function clearBorder(level: Level): void {
  for (let row = 0; row < level.height + 2; row++) {
    clearRow(level, row, row === 0 || row === level.height + 1);
  }
}

function clearRow(level: Level, row: i32, whole: bool): void {
  const first = 16 * row * level.stride;
  const last = first + 16 * (level.width + 1);
  const length = whole ? last + 16 - first : 16;
  memory.fill(level.value + first, 0, length);
  memory.fill(level.error + first, 0, length);
  v128.store(level.value + last, f32x4.splat(0));
  v128.store(level.error + last, f32x4.splat(0));
}

function both(into: usize, left: usize, right: usize, bytes: i32): void {
  for (let offset = 0; offset < bytes; offset += 8) {
    store<u64>(into + offset, load<u64>(left + offset) & load<u64>(right + offset));
  }
}

function without(into: usize, left: usize, right: usize, bytes: i32): void {
  for (let offset = 0; offset < bytes; offset += 8) {
    store<u64>(into + offset, load<u64>(left + offset) & ~load<u64>(right + offset));
  }
}

/**
 * Marks what is `reach` rows and columns from a marked cell. Where all within some n cells of marked ones are marked, all
 * within n + reach then are, as long as reach is at most n + 1.
 */
function widen(level: Level, reach: u64): void {
  const words = level.words;
  const height = level.height;
  const back = 64 - reach;
  let at = marks;
  let to = wider;
  for (let row = 0; row < height; row++) {
    let before: u64 = 0;
    let here = load<u64>(at);
    for (let word = 1; word < words; word++, at += 8, to += 8) {
      const after = load<u64>(at, 8);
      store<u64>(to, here | (here << reach) | (before >> back) | (here >> reach) | (after << back));
      before = here;
      here = after;
    }
    store<u64>(to, here | (here << reach) | (before >> back) | (here >> reach));
    at += 8;
    to += 8;
  }
  const pitch = 8 * words;
  const rows = <i32>reach;
  for (let row = 0; row < height; row++) {
    const above = wider + max(row - rows, 0) * pitch;
    const here = wider + row * pitch;
    const below = wider + min(row + rows, height - 1) * pitch;
    const into = marks + row * pitch;
    for (let offset = 0; offset < pitch; offset += 8) {
      store<u64>(into + offset, load<u64>(above + offset) | load<u64>(here + offset) | load<u64>(below + offset));
    }
  }
}

/** Where in its row a set begins and ends. */
function findRunsOf(level: Level, set: usize, runs: Runs): void {
  runs.middle = findRunsIn(level, set, 0, runs.start);
  runs.end = findRunsIn(level, set, 1, runs.middle);
}

function findRunsIn(level: Level, set: usize, odd: i32, end: usize): usize {
  for (let row = odd; row < level.height; row += 2) {
    const first = (row + 1) * level.stride + 1;
    const words = set + 8 * row * level.words;
    let before: u64 = 0;
    for (let word = 0; word < level.words; word++) {
      const here = load<u64>(words + 8 * word);
      for (let bits = here ^ ((here << 1) | before); bits !== 0; bits &= bits - 1) {
        store<i32>(end, first + 64 * word + <i32>ctz(bits));
        end += 4;
      }
      before = here >> 63;
    }
    if (before !== 0) {
      store<i32>(end, first + level.width);
      end += 4;
    }
  }
  return end;
}

function list(level: Level, set: usize, into: Cells): void {
  let end = into.start;
  for (let colour = 0; colour < 4; colour++) {
    const columns = (<u64>0x5555555555555555) << (colour & 1);
    for (let row = colour >> 1; row < level.height; row += 2) {
      const first = (row + 1) * level.stride + 1;
      const words = set + 8 * row * level.words;
      for (let word = 0; word < level.words; word++) {
        for (let bits = load<u64>(words + 8 * word) & columns; bits !== 0; bits &= bits - 1) {
          store<i32>(end, first + 64 * word + <i32>ctz(bits));
          end += 4;
        }
      }
    }
  }
  into.end = end;
}

/** Unknown coarse cells with no deep one in them: the fine grid knows better. */
function findCovered(fine: Level, coarse: Level): void {
  const bytes = 8 * coarse.height * coarse.words;
  for (let row = 0; row < coarse.height; row++) {
    const bottom = min(2 * row + 1, fine.height - 1);
    for (let word = 0; word < coarse.words; word++) {
      let deep: u64 = 0;
      for (let half = 0; half < 2 && 2 * word + half < fine.words; half++) {
        const upper = load<u64>(fine.deep + 8 * (2 * row * fine.words + 2 * word + half));
        const either = upper | load<u64>(fine.deep + 8 * (bottom * fine.words + 2 * word + half));
        deep |= evenOf(either | (either >> 1)) << (32 * half);
      }
      const offset = 8 * (row * coarse.words + word);
      store<u64>(marks + offset, load<u64>(coarse.unknown + offset) & ~deep);
    }
  }
  findRunsOf(coarse, marks, coarse.covered);
  both(wider, marks, coarse.smooth, bytes);
  findRunsOf(coarse, wider, coarse.mean);
  without(wider, marks, coarse.smooth, bytes);
  findRunsOf(coarse, wider, coarse.other);
}

function zero(numbers: usize, runs: Runs): void {
  for (let run = runs.start; run < runs.end; run += 8) {
    const first = load<i32>(run);
    memory.fill(numbers + 16 * first, 0, 16 * (load<i32>(run, 4) - first));
  }
}

function clear(level: Level, coarse: bool): void {
  zero(level.rest, level.near);
  if (!coarse) return;
  zero(level.error, level.near);
  zero(level.value, level.near);
  zero(level.value, level.inside);
  zero(level.right, level.covered);
}

/** Squares of the last residual of the finest grid, and the largest change that coarse grids made in the last cycle. */
let squares: v128 = f32x4.splat(0);
let change: v128 = f32x4.splat(0);

/** Full approximation: a coarse grid takes over the values where the fine one has them, and its own elsewhere. */
function cycle(at: i32, last: i32, sweeps: i32, first: bool): void {
  const level = levels[at];
  if (at === last) {
    for (let sweep = 0; sweep < LAST_SWEEPS; sweep++) relax(level, at, level.near);
    return;
  }
  // the finest grid's cells were just swept, by the cycle before
  const begin = first ? sweeps + FIRST_SWEEPS : at > 0 ? sweeps : 0;
  for (let sweep = 0; sweep < begin; sweep++) relaxCells(level, at, level.hot);
  if (!first || at > 0) relax(level, at, level.near); // all others are satisfied at first
  const next = levels[at + 1];
  const kept = squares;
  remain(level, level.near);
  if (at > 0) squares = kept;
  descend(level, next);
  cycle(at + 1, last, sweeps, first);
  if (at + 1 >= last - TWICE) cycle(at + 1, last, sweeps, false);
  leaveError(next);
  border(next, next.error);
  correct(next, level);
  extend(next, level, level.halo);
  if (at > 0) border(level, level.value);
  relax(level, at, level.near);
  for (let sweep = 0; sweep < sweeps; sweep++) relaxCells(level, at, level.hot);
}

/** What a coarse grid changed goes to `error`; the largest number is kept. */
function leaveError(level: Level): void {
  const values = level.value;
  const errors = level.error;
  const runs = level.near;
  let most = change;
  for (let run = runs.start; run < runs.end; run += 8) {
    const end = 16 * load<i32>(run, 4);
    for (let offset = 16 * load<i32>(run); offset < end; offset += 16) {
      const error = f32x4.sub(v128.load(values + offset), v128.load(errors + offset));
      v128.store(errors + offset, error);
      most = f32x4.max(most, f32x4.abs(error));
    }
  }
  change = most;
}

/** Sweeps cells in their order. */
function relaxCells(level: Level, at: i32, cells: Cells): void {
  const across = 16 * level.stride;
  const beside = f32x4.splat(level.beside);
  const corner = f32x4.splat(level.corner);
  const values = level.value;
  const rights = level.right;
  const step = level.step;
  const inverses = level.inverse;
  const end = cells.end;
  for (let item = cells.start; item < end; item += 4) {
    const cell = load<i32>(item);
    const own = values + 16 * cell;
    const above = own - across;
    const below = own + across;
    const sides = f32x4.add(v128.load(own - 16), v128.load(own, 16));
    const here = f32x4.add(v128.load(above), v128.load(below));
    const left = f32x4.add(v128.load(above - 16), v128.load(below - 16));
    const right = f32x4.add(v128.load(above, 16), v128.load(below, 16));
    const near = f32x4.mul(beside, f32x4.add(sides, here));
    const far = f32x4.mul(corner, f32x4.add(left, right));
    const sum = f32x4.add(f32x4.add(near, far), v128.load(rights + step * cell));
    v128.store(own, f32x4.mul(sum, v128.load32_splat(inverses + 4 * cell)));
  }
  if (at > 0) border(level, values);
}

/** Sweeps the cells of runs, in the same four colours. */
function relax(level: Level, at: i32, runs: Runs): void {
  relaxRows(level, runs.start, runs.middle);
  relaxRows(level, runs.middle, runs.end);
  if (at > 0) border(level, level.value);
}

function relaxRows(level: Level, from: usize, to: usize): void {
  const across = 16 * level.stride;
  const beside = f32x4.splat(level.beside);
  const corner = f32x4.splat(level.corner);
  const values = level.value;
  const rights = level.right;
  const step = level.step;
  const inverses = level.inverse;
  for (let odd = 1; odd >= 0; odd--) {
    for (let run = from; run < to; run += 8) {
      const start = load<i32>(run);
      const first = start + ((start ^ odd) & 1);
      const stop = values + 16 * load<i32>(run, 4);
      let own = values + 16 * first;
      let right = rights + step * first;
      let inverse = inverses + 4 * first;
      let left = v128.load(own - 16);
      let before = f32x4.add(v128.load(own - across - 16), v128.load(own + across - 16));
      for (; own < stop; own += 32, right += 2 * step, inverse += 8) {
        const next = v128.load(own, 16);
        const after = f32x4.add(v128.load(own - across + 16), v128.load(own + across + 16));
        const here = f32x4.add(v128.load(own - across), v128.load(own + across));
        const near = f32x4.mul(beside, f32x4.add(f32x4.add(left, next), here));
        const far = f32x4.mul(corner, f32x4.add(before, after));
        const sum = f32x4.add(f32x4.add(near, far), v128.load(right));
        v128.store(own, f32x4.mul(sum, v128.load32_splat(inverse)));
        left = next;
        before = after;
      }
    }
  }
}

/** What the values leave of the right side goes to `rest`, and the sum of its squares is kept. */
function remain(level: Level, runs: Runs): void {
  const across = 16 * level.stride;
  const beside = f32x4.splat(level.beside);
  const corner = f32x4.splat(level.corner);
  const diagonals = level.diagonal;
  const rights = level.right;
  const step = level.step;
  const rests = level.rest;
  const end = runs.end;
  let sum = f32x4.splat(0);
  for (let run = runs.start; run < end; run += 8) {
    const first = load<i32>(run);
    let own = level.value + 16 * first;
    let offset = 16 * first;
    let right = rights + step * first;
    let left = v128.load(own - 16);
    let value = v128.load(own);
    let before = f32x4.add(v128.load(own - across - 16), v128.load(own + across - 16));
    let here = f32x4.add(v128.load(own - across), v128.load(own + across));
    for (const stop = 16 * load<i32>(run, 4); <i32>offset < stop; offset += 16, own += 16, right += step) {
      const next = v128.load(own, 16);
      const after = f32x4.add(v128.load(own - across + 16), v128.load(own + across + 16));
      const near = f32x4.mul(beside, f32x4.add(f32x4.add(left, next), here));
      const pull = f32x4.add(near, f32x4.mul(corner, f32x4.add(before, after)));
      const lost = f32x4.mul(v128.load32_splat(diagonals + (offset >> 2)), value);
      const rest = f32x4.sub(f32x4.add(pull, v128.load(right)), lost);
      v128.store(rests + offset, rest);
      sum = f32x4.add(sum, f32x4.mul(rest, rest));
      before = here;
      here = after;
      left = value;
      value = next;
    }
  }
  squares = sum;
}

/** Values, right sides and, in `error`, the values as they are before the coarse grid changes them. */
function descend(fine: Level, coarse: Level): void {
  const quarter = f32x4.splat(0.25);
  for (let run = coarse.mean.start; run < coarse.mean.end; run += 8) {
    const first = load<i32>(run);
    const row = first / coarse.stride - 1;
    const column = first - (row + 1) * coarse.stride - 1;
    let child = fine.value + 16 * ((2 * row + 1) * fine.stride + 2 * column + 1);
    const below = 16 * fine.stride;
    for (let cell = first; cell < load<i32>(run, 4); cell++, child += 32) {
      const top = f32x4.add(v128.load(child), v128.load(child, 16));
      const bottom = f32x4.add(v128.load(child + below), v128.load(child + below, 16));
      v128.store(coarse.value + 16 * cell, f32x4.mul(quarter, f32x4.add(top, bottom)));
    }
  }
  zero(coarse.value, coarse.other);
  border(coarse, coarse.value);
  for (let run = coarse.near.start; run < coarse.near.end; run += 8) {
    const first = 16 * load<i32>(run);
    memory.copy(coarse.error + first, coarse.value + first, 16 * load<i32>(run, 4) - first);
  }
  const across = 16 * coarse.stride;
  const beside = f32x4.splat(coarse.beside);
  const corner = f32x4.splat(coarse.corner);
  for (let run = coarse.covered.start; run < coarse.covered.end; run += 8) {
    const first = load<i32>(run);
    const row = first / coarse.stride - 1;
    const column = first - (row + 1) * coarse.stride - 1;
    let child = fine.rest + 16 * ((2 * row + 1) * fine.stride + 2 * column + 1);
    const below = 16 * fine.stride;
    let own = coarse.value + 16 * first;
    let offset = 16 * first;
    let left = v128.load(own - 16);
    let value = v128.load(own);
    let before = f32x4.add(v128.load(own - across - 16), v128.load(own + across - 16));
    let here = f32x4.add(v128.load(own - across), v128.load(own + across));
    for (const stop = 16 * load<i32>(run, 4); <i32>offset < stop; offset += 16, own += 16, child += 32) {
      const next = v128.load(own, 16);
      const after = f32x4.add(v128.load(own - across + 16), v128.load(own + across + 16));
      const near = f32x4.mul(beside, f32x4.add(f32x4.add(left, next), here));
      const pull = f32x4.add(near, f32x4.mul(corner, f32x4.add(before, after)));
      const held = f32x4.mul(v128.load32_splat(coarse.diagonal + (offset >> 2)), value);
      const top = f32x4.add(v128.load(child), v128.load(child, 16));
      const bottom = f32x4.add(v128.load(child + below), v128.load(child + below, 16));
      v128.store(coarse.right + offset, f32x4.add(f32x4.sub(held, pull), f32x4.add(top, bottom)));
      before = here;
      here = after;
      left = value;
      value = next;
    }
  }
}

/** Adds the coarse error to the fine values: 9/16 of the cell it lies in, 3/16 of the near ones, 1/16 across the corner. */
function correct(coarse: Level, fine: Level): void {
  const quarter = f32x4.splat(0.25);
  const rest = f32x4.splat(0.75);
  const half = 16 * coarse.stride;
  const runs = fine.near;
  for (let run = runs.start; run < runs.end; run += 8) {
    const first = load<i32>(run);
    const row = first / fine.stride - 1;
    const column = first - (row + 1) * fine.stride - 1;
    const far = (row & 1) === 1 ? half : -half;
    let at = coarse.error + half * ((row >> 1) + 1) + 16 + 16 * (column >> 1);
    let before = f32x4.add(f32x4.mul(rest, v128.load(at - 16)), f32x4.mul(quarter, v128.load(at - 16 + far)));
    let here = f32x4.add(f32x4.mul(rest, v128.load(at)), f32x4.mul(quarter, v128.load(at + far)));
    const start = fine.value + 16 * first;
    let own = start - 16 * (column & 1); // of the left one of two cells, which may be before the first
    for (const end = fine.value + 16 * load<i32>(run, 4); own < end; own += 32) {
      at += 16;
      const after = f32x4.add(f32x4.mul(rest, v128.load(at)), f32x4.mul(quarter, v128.load(at + far)));
      const most = f32x4.mul(rest, here);
      if (own >= start) {
        v128.store(own, f32x4.add(v128.load(own), f32x4.add(most, f32x4.mul(quarter, before))));
      }
      if (own + 16 < end) {
        v128.store(own, f32x4.add(v128.load(own, 16), f32x4.add(most, f32x4.mul(quarter, after))), 16);
      }
      before = here;
      here = after;
    }
  }
}

/**
 * Fine values from the coarse ones about them, by the weights that are exact for harmonic polynomials up to the fourth
 * degree:
 *
 *     4 27  8
 *    27 20 67 / 256, the fine cell towards 28
 *     8 67 28
 */
function extend(coarse: Level, fine: Level, runs: Runs): void {
  for (let run = runs.start; run < runs.end; run += 8) {
    const first = load<i32>(run);
    extendRun(coarse, fine, first, load<i32>(run, 4), fine.value + 16 * first);
  }
}

function extendRun(coarse: Level, fine: Level, first: i32, last: i32, into: usize): void {
  const half = 16 * coarse.stride;
  const row = first / fine.stride - 1;
  const column = first - (row + 1) * fine.stride - 1;
  const near = (row & 1) === 1 ? half : -half;
  let at = coarse.value + half * ((row >> 1) + 1) + 16 + 16 * (column >> 1);
  let far = v128.load(at - 16 - near);
  let middle = v128.load(at - 16);
  let close = v128.load(at - 16 + near);
  let beforeFar = across(far, middle, close, 4, 27, 8);
  let beforeNear = across(far, middle, close, 8, 67, 28);
  far = v128.load(at - near);
  middle = v128.load(at);
  close = v128.load(at + near);
  let hereFar = across(far, middle, close, 4, 27, 8);
  let hereNear = across(far, middle, close, 8, 67, 28);
  let here = across(far, middle, close, 27, 20, 67);
  let own = into - 16 * (column & 1); // of the left one of two cells, which may be before the first
  for (const end = into + 16 * (last - first); own < end; own += 32) {
    at += 16;
    far = v128.load(at - near);
    middle = v128.load(at);
    close = v128.load(at + near);
    const afterFar = across(far, middle, close, 4, 27, 8);
    const afterNear = across(far, middle, close, 8, 67, 28);
    if (own >= into) v128.store(own, f32x4.add(f32x4.add(beforeNear, here), afterFar));
    if (own + 16 < end) v128.store(own, f32x4.add(f32x4.add(beforeFar, here), afterNear), 16);
    here = across(far, middle, close, 27, 20, 67);
    beforeFar = hereFar;
    beforeNear = hereNear;
    hereFar = afterFar;
    hereNear = afterNear;
  }
}

/** Numbers inside of the finest grid go straight to the planes that come out. */
function extendOut(channels: i32, coarse: Level, finest: Level): void {
  for (let run = finest.inside.start; run < finest.inside.end; run += 8) {
    const first = load<i32>(run);
    const last = load<i32>(run, 4);
    extendRun(coarse, finest, first, last, line);
    put(channels, finest, first, last, line);
  }
}

/** A column's part: of the row further away, of the middle one and of the nearer one. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function across(far: v128, middle: v128, close: v128, a: f32, b: f32, c: f32): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(a / 256), far), f32x4.mul(f32x4.splat(b / 256), middle)),
    f32x4.mul(f32x4.splat(c / 256), close),
  );
}

/** The cells beyond the sides of a coarse grid. */
function border(level: Level, numbers: usize): void {
  if (!level.open) return;
  const row: usize = 16 * level.stride;
  const before = f32x4.splat(level.before);
  const after = f32x4.splat(level.after);
  const below = f32x4.splat(level.below);
  const second: usize = level.width > 1 ? 16 : 0;
  for (let line = 1; line <= level.height; line++) {
    const first = numbers + row * line + 16;
    const left = v128.load(first);
    v128.store(first - 16, f32x4.add(left, f32x4.mul(before, f32x4.sub(v128.load(first + second), left))));
    const last = first + 16 * (level.width - 1);
    const right = v128.load(last);
    v128.store(last, f32x4.add(right, f32x4.mul(after, f32x4.sub(v128.load(last - second), right))), 16);
  }
  const inner: usize = level.height > 1 ? row : 0;
  const top = numbers + row;
  const bottom = numbers + row * level.height;
  for (let offset = 0; offset < 16 * (level.width + 2); offset += 16) {
    const high = v128.load(top + offset);
    v128.store(numbers + offset, f32x4.add(high, f32x4.mul(before, f32x4.sub(v128.load(top + offset + inner), high))));
    const low = v128.load(bottom + offset);
    const beyond = f32x4.add(low, f32x4.mul(below, f32x4.sub(v128.load(bottom + offset - inner), low)));
    v128.store(bottom + offset + row, beyond);
  }
}

/** Numbers near known ones go to the planes that come out. */
function gather(channels: i32, finest: Level): void {
  for (let run = finest.near.start; run < finest.near.end; run += 8) {
    const first = load<i32>(run);
    put(channels, finest, first, load<i32>(run, 4), finest.value + 16 * first);
  }
}

function put(channels: i32, finest: Level, first: i32, last: i32, from: usize): void {
  const plane = 4 * finest.height * finest.width;
  const middle = means;
  let offset = offsetOf(finest, first);
  let cell = from;
  const end = from + 16 * (last - first);
  for (; cell + 64 <= end; cell += 64, offset += 16) {
    const a = v128.load(cell);
    const b = v128.load(cell, 16);
    const c = v128.load(cell, 32);
    const d = v128.load(cell, 48);
    const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    putFour(offset, v128.shuffle<i64>(abLow, cdLow, 0, 2), f32x4.extract_lane(middle, 0));
    if (channels > 1) putFour(offset + plane, v128.shuffle<i64>(abLow, cdLow, 1, 3), f32x4.extract_lane(middle, 1));
    if (channels > 2) {
      const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      putFour(offset + 2 * plane, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), f32x4.extract_lane(middle, 2));
      if (channels > 3) putFour(offset + 3 * plane, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), f32x4.extract_lane(middle, 3));
    }
  }
  for (; cell < end; cell += 16, offset += 4) {
    const value = f32x4.add(v128.load(cell), middle);
    putOne(offset, f32x4.extract_lane(value, 0));
    if (channels > 1) putOne(offset + plane, f32x4.extract_lane(value, 1));
    if (channels > 2) putOne(offset + 2 * plane, f32x4.extract_lane(value, 2));
    if (channels > 3) putOne(offset + 3 * plane, f32x4.extract_lane(value, 3));
  }
}

function putFour(offset: i32, numbers: v128, middle: f32): void {
  const sum = f32x4.add(f32x4.add(numbers, f32x4.splat(middle)), v128.load(noise + offset));
  v128.store(filled + offset, sum);
}

function putOne(offset: i32, number: f32): void {
  store<f32>(filled + offset, number + load<f32>(noise + offset));
}
