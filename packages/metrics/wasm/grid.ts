// AssemblyScript: `pnpm wasm` compiles it into src/grid-wasm.ts. Fills unknown pixels so that each is the weighted mean of its
// neighbours, for up to four channels at once: a cell is four floats. grid-solver.ts tells the method.
//
// Grids have a border on all sides: cell (row, column) lies at (row + 1)·stride + column + 1. Numbers of known cells and of
// the border stay 0 in every array but the values, and so do all between two calls.

const BESIDE: f32 = 1.0 / 6.0;
const CORNER: f32 = 1.0 / 12.0;
/** Cells so near to known ones are swept more often: coarser grids do not see where exactly the known begin. */
const NEAR_STEPS = 3; // 1 + 2 + 3 = 6 cells away
const NEAR_SWEEPS = 3;
/** The first cycles leave cells further inside to the coarser grids. */
const NEAR_CYCLES = 2;
/** No more than that, whatever the tolerance. */
const MOST_CYCLES = 1000;

/** A grid's sizes and where its arrays are. */
class Level {
  height: i32 = 0;
  width: i32 = 0;
  stride: i32 = 0;
  /** 1 for an unknown cell; and for an unknown one near to known ones. */
  unknown: usize = 0;
  near: usize = 0;
  /** Runs of such cells: first cell and the one after the last, for each; how many numbers. */
  runs: usize = 0;
  runsEnd: usize = 0;
  nearRuns: usize = 0;
  nearEnd: usize = 0;
  /** The weights of a cell's neighbours inside the grid, and one over them. */
  diagonal: usize = 0;
  inverse: usize = 0;
  right: usize = 0;
  rest: usize = 0;
  error: usize = 0;
}

let levels: Level[] = [];
/** Doubles: values, and the exact weights. */
let values: usize = 0;
let weights: usize = 0;
/** Bytes, for the search of what is near. */
let flags: usize = 0;
/** Where the mask, H·W bytes, and the planes, H·W floats for each of four channels, are written and read. */
export let mask: usize = 0;
export let planes: usize = 0;

/** Makes room for images of this size; that for others is given up. */
export function layout(height: i32, width: i32): void {
  heap.reset();
  levels = [];
  let rows = height;
  let columns = width;
  for (;;) {
    levels.push(levelOf(rows, columns));
    if (rows * columns <= 4) break;
    rows = (rows + 1) >> 1;
    columns = (columns + 1) >> 1;
  }
  mask = room(height * width);
  planes = room(16 * height * width);
  const stride = levels[0].stride;
  values = room(32 * (height + 3) * stride);
  weights = room(8 * (height + 3) * stride);
  flags = room((height + 3) * stride + 32);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      store<f64>(weights + 8 * ((row + 1) * stride + column + 1), weight(row, column, height, width));
    }
  }
}

function room(size: usize): usize {
  const start = heap.alloc(size);
  memory.fill(start, 0, size);
  return start;
}

function weight(row: i32, column: i32, height: i32, width: i32): f64 {
  const down = i32(row > 0) + i32(row < height - 1);
  const across = i32(column > 0) + i32(column < width - 1);
  return <f64>(down + across) / 6.0 + <f64>(down * across) / 12.0;
}

function levelOf(height: i32, width: i32): Level {
  const level = new Level();
  level.height = height;
  level.width = width;
  level.stride = width + 3; // one more, for the last cells of an odd side
  const cells = (height + 3) * level.stride;
  level.unknown = room(cells + 32) + 16;
  level.near = room(cells + 32) + 16;
  level.runs = room(4 * level.height * (level.width + 2));
  level.nearRuns = room(4 * level.height * (level.width + 2));
  level.diagonal = room(4 * cells);
  level.inverse = room(4 * cells);
  level.right = room(16 * cells);
  level.rest = room(16 * cells);
  level.error = room(16 * cells);
  for (let row = 0; row < level.height; row++) {
    for (let column = 0; column < level.width; column++) {
      const cell = (row + 1) * level.stride + column + 1;
      const sum = weight(row, column, level.height, level.width);
      store<f32>(level.diagonal + 4 * cell, <f32>sum);
      store<f32>(level.inverse + 4 * cell, <f32>(sum > 0 ? 1.0 / sum : 0.0));
    }
  }
  return level;
}

/**
 * Fills the pixels of the planes that the mask marks, starting from the mean of the others, until the residual of each
 * channel is no larger than the tolerance times what the known neighbours contribute.
 */
export function fill(channels: i32, tolerance: f64): void {
  const finest = levels[0];
  markUnknown(finest);
  for (let at = 1; at < levels.length; at++) coarsen(levels[at - 1], levels[at]);
  for (let at = 0; at < levels.length; at++) findRuns(levels[at]);
  spread(channels, finest);
  leave(finest, finest.nearRuns, finest.nearEnd); // all that know a neighbour are near
  const low = f64x2.mul(f64x2.splat(tolerance * tolerance), lowSquares);
  const high = f64x2.mul(f64x2.splat(tolerance * tolerance), highSquares);
  begin(finest);
  let sweeps = 1;
  let before = f64.MAX_VALUE;
  for (let cycles = 0; cycles < MOST_CYCLES; cycles++) {
    const inside = cycles >= NEAR_CYCLES;
    if (inside) leave(finest, finest.runs, finest.runsEnd);
    else leave(finest, finest.nearRuns, finest.nearEnd);
    if (inside && v128.any_true(f64x2.gt(lowSquares, low)) === 0 && v128.any_true(f64x2.gt(highSquares, high)) === 0)
      break;
    if (inside) {
      const total = squaresTogether();
      if (total > 0.25 * before) sweeps = min(2 * sweeps, 64); // more than half of the residual is left
      before = total;
    }
    cycle(0, inside ? sweeps : 0);
    addError(finest);
  }
  gather(channels, finest);
  clear(finest);
  for (let at = 1; at < levels.length; at++) clear(levels[at]);
}

function squaresTogether(): f64 {
  const sum = f64x2.add(lowSquares, highSquares);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

function markUnknown(level: Level): void {
  for (let row = 0; row < level.height; row++) {
    memory.copy(level.unknown + (row + 1) * level.stride + 1, mask + row * level.width, level.width);
  }
}

/** A coarse cell is unknown where all of its cells that lie inside the grid are. */
function coarsen(fine: Level, coarse: Level): void {
  for (let row = 0; row < coarse.height; row++) {
    const below = 2 * row + 1 < fine.height ? fine.stride : 0;
    for (let column = 0; column < coarse.width; column++) {
      const first = fine.unknown + (2 * row + 1) * fine.stride + 2 * column + 1;
      const right = 2 * column + 1 < fine.width ? 1 : 0;
      const all = load<u8>(first) & load<u8>(first + right) & load<u8>(first + below) & load<u8>(first + below + right);
      store<u8>(coarse.unknown + (row + 1) * coarse.stride + column + 1, all);
    }
  }
}

function findRuns(level: Level): void {
  const cells = (level.height + 3) * level.stride;
  findNear(level, cells);
  level.runsEnd = runsOf(level.unknown, cells, level.runs);
  level.nearEnd = runsOf(level.near, cells, level.nearRuns);
}

/** Where the numbers of an array of bytes change; the border is 0, so runs end. */
function runsOf(marks: usize, cells: i32, runs: usize): usize {
  let cell = 1;
  while (cell < cells) {
    if (cell + 8 <= cells && load<u64>(marks + cell) === load<u64>(marks + cell - 1)) {
      cell += 8;
      continue;
    }
    if (load<u8>(marks + cell) !== load<u8>(marks + cell - 1)) {
      store<i32>(runs, cell);
      runs += 4;
    }
    cell++;
  }
  return runs;
}

/** Marks the unknown cells with a known one at most six rows and columns away. Beyond a side it may mark more. */
function findNear(level: Level, cells: i32): void {
  const near = level.near;
  for (let row = 1; row <= level.height; row++) {
    for (let column = 1; column <= level.width; column++) {
      const cell = row * level.stride + column;
      store<u8>(near + cell, load<u8>(level.unknown + cell) ^ 1);
    }
  }
  for (let reach = 1; reach <= NEAR_STEPS; reach++) {
    widen(near, cells, reach);
    widen(near, cells, reach * level.stride);
  }
  for (let cell = 0; cell < cells; cell += 16) {
    v128.store(near + cell, v128.and(v128.load(near + cell), v128.load(level.unknown + cell)));
  }
}

function widen(marks: usize, cells: i32, reach: i32): void {
  memory.copy(flags, marks, cells);
  for (let cell = reach; cell < cells - reach; cell += 16) {
    if (cell + 16 > cells - reach) {
      for (; cell < cells - reach; cell++) {
        store<u8>(
          marks + cell,
          load<u8>(flags + cell) | load<u8>(flags + cell - reach) | load<u8>(flags + cell + reach),
        );
      }
      return;
    }
    const sides = v128.or(v128.load(flags + cell - reach), v128.load(flags + cell + reach));
    v128.store(marks + cell, v128.or(v128.load(flags + cell), sides));
  }
}

/** The planes as values, cell by cell; 0 where a cell is unknown. The sums of the known go to `means`. */
function spread(channels: i32, level: Level): void {
  const size = level.height * level.width;
  let lowSum = f64x2.splat(0);
  let highSum = f64x2.splat(0);
  let known = 0;
  let pixel = 0;
  for (let row = 0; row < level.height; row++) {
    let cell = (row + 1) * level.stride + 1;
    for (const last = pixel + level.width; pixel < last; pixel++, cell++) {
      const own = planes + 4 * pixel;
      let numbers = v128.load32_zero(own);
      if (channels > 1) numbers = f32x4.replace_lane(numbers, 1, load<f32>(own + 4 * size));
      if (channels > 2) numbers = f32x4.replace_lane(numbers, 2, load<f32>(own + 8 * size));
      if (channels > 3) numbers = f32x4.replace_lane(numbers, 3, load<f32>(own + 12 * size));
      const missing = <i32>load<u8>(mask + pixel);
      numbers = v128.and(numbers, i32x4.splat(missing - 1));
      const low = f64x2.promote_low_f32x4(numbers);
      const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(numbers, numbers, 1, 1));
      lowSum = f64x2.add(lowSum, low);
      highSum = f64x2.add(highSum, high);
      known += 1 - missing;
      v128.store(values + 32 * cell, low);
      v128.store(values + 32 * cell, high, 16);
    }
  }
  lowMeans = f64x2.div(lowSum, f64x2.splat(<f64>known));
  highMeans = f64x2.div(highSum, f64x2.splat(<f64>known));
}

let lowMeans: v128 = f64x2.splat(0);
let highMeans: v128 = f64x2.splat(0);
let lowSquares: v128 = f64x2.splat(0);
let highSquares: v128 = f64x2.splat(0);

/** The mean of the known at every unknown cell. */
function begin(level: Level): void {
  const low = lowMeans;
  const high = highMeans;
  for (let run = level.runs; run < level.runsEnd; run += 8) {
    const last = values + 32 * load<i32>(run, 4);
    for (let own = values + 32 * load<i32>(run); own < last; own += 32) {
      v128.store(own, low);
      v128.store(own, high, 16);
    }
  }
}

function gather(channels: i32, level: Level): void {
  const size = level.height * level.width;
  for (let run = level.runs; run < level.runsEnd; run += 8) {
    const first = load<i32>(run);
    const last = load<i32>(run, 4);
    const row = first / level.stride - 1;
    for (let cell = first; cell < last; cell++) {
      const pixel = planes + 4 * (row * level.width + cell - (row + 1) * level.stride - 1);
      const low = f32x4.demote_f64x2_zero(v128.load(values + 32 * cell));
      store<f32>(pixel, f32x4.extract_lane(low, 0));
      if (channels > 1) store<f32>(pixel + 4 * size, f32x4.extract_lane(low, 1));
      if (channels > 2) store<f32>(pixel + 8 * size, <f32>load<f64>(values + 32 * cell, 16));
      if (channels > 3) store<f32>(pixel + 12 * size, <f32>load<f64>(values + 32 * cell, 24));
    }
  }
}

function addError(level: Level): void {
  for (let run = level.runs; run < level.runsEnd; run += 8) {
    const last = load<i32>(run, 4);
    for (let cell = load<i32>(run); cell < last; cell++) {
      const error = v128.load(level.error + 16 * cell);
      const own = values + 32 * cell;
      v128.store(own, f64x2.add(v128.load(own), f64x2.promote_low_f32x4(error)));
      const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(error, error, 1, 1));
      v128.store(own, f64x2.add(v128.load(own, 16), high), 16);
    }
  }
}

/** What the values leave of their equations goes to `right`, in doubles until there; sums of its squares are kept. */
function leave(level: Level, runs: usize, runsEnd: usize): void {
  const across = 32 * level.stride;
  const beside = f64x2.splat(1.0 / 6.0);
  const corner = f64x2.splat(1.0 / 12.0);
  let lowSum = f64x2.splat(0);
  let highSum = f64x2.splat(0);
  for (let run = runs; run < runsEnd; run += 8) {
    const first = load<i32>(run);
    const last = load<i32>(run, 4);
    let own = values + 32 * first;
    let right = level.right + 16 * first;
    let heavy = weights + 8 * first;
    let lowLeft = v128.load(own - 32);
    let highLeft = v128.load(own - 16);
    let lowBefore = f64x2.add(v128.load(own - across - 32), v128.load(own + across - 32));
    let highBefore = f64x2.add(v128.load(own - across - 16), v128.load(own + across - 16));
    let lowHere = f64x2.add(v128.load(own - across), v128.load(own + across));
    let highHere = f64x2.add(v128.load(own - across + 16), v128.load(own + across + 16));
    let low = v128.load(own);
    let high = v128.load(own, 16);
    for (const stop = values + 32 * last; own < stop; own += 32, right += 16, heavy += 8) {
      const lowRight = v128.load(own, 32);
      const highRight = v128.load(own, 48);
      const lowAfter = f64x2.add(v128.load(own - across + 32), v128.load(own + across + 32));
      const highAfter = f64x2.add(v128.load(own - across + 48), v128.load(own + across + 48));
      const sum = v128.load64_splat(heavy);
      const lowPull = f64x2.add(
        f64x2.mul(beside, f64x2.add(f64x2.add(lowLeft, lowRight), lowHere)),
        f64x2.mul(corner, f64x2.add(lowBefore, lowAfter)),
      );
      const highPull = f64x2.add(
        f64x2.mul(beside, f64x2.add(f64x2.add(highLeft, highRight), highHere)),
        f64x2.mul(corner, f64x2.add(highBefore, highAfter)),
      );
      const lowRest = f64x2.sub(lowPull, f64x2.mul(sum, low));
      const highRest = f64x2.sub(highPull, f64x2.mul(sum, high));
      lowSum = f64x2.add(lowSum, f64x2.mul(lowRest, lowRest));
      highSum = f64x2.add(highSum, f64x2.mul(highRest, highRest));
      const floats = v128.shuffle<i64>(f32x4.demote_f64x2_zero(lowRest), f32x4.demote_f64x2_zero(highRest), 0, 2);
      v128.store(right, floats);
      lowBefore = lowHere;
      highBefore = highHere;
      lowHere = lowAfter;
      highHere = highAfter;
      lowLeft = low;
      highLeft = high;
      low = lowRight;
      high = highRight;
    }
  }
  lowSquares = lowSum;
  highSquares = highSum;
}

/** One V-cycle from a grid's right side to its error; on the finest grid `sweeps` may be 0. */
function cycle(at: i32, sweeps: i32): void {
  const level = levels[at];
  zero(level.error, level.runs, level.runsEnd);
  for (let sweep = 0; sweep < sweeps; sweep++) relax(level, level.runs, level.runsEnd);
  for (let sweep = 0; sweep < NEAR_SWEEPS; sweep++) relax(level, level.nearRuns, level.nearEnd);
  const next = at + 1 < levels.length ? levels[at + 1] : level;
  if (next !== level && next.runsEnd > next.runs) {
    if (sweeps > 0) remain(level, level.runs, level.runsEnd);
    else remain(level, level.nearRuns, level.nearEnd);
    mirror(level, level.rest);
    restrict(level, next);
    unmirror(level, level.rest);
    cycle(at + 1, max(sweeps, 1));
    mirror(next, next.error);
    interpolate(next, level);
    unmirror(next, next.error);
  }
  for (let sweep = 0; sweep < NEAR_SWEEPS; sweep++) relaxBack(level, level.nearRuns, level.nearEnd);
  for (let sweep = 0; sweep < sweeps; sweep++) relaxBack(level, level.runs, level.runsEnd);
}

function zero(numbers: usize, runs: usize, runsEnd: usize): void {
  for (let run = runs; run < runsEnd; run += 8) {
    const first = load<i32>(run);
    memory.fill(numbers + 16 * first, 0, 16 * (load<i32>(run, 4) - first));
  }
}

function clear(level: Level): void {
  zero(level.error, level.runs, level.runsEnd);
  zero(level.rest, level.runs, level.runsEnd);
}

/** Sweeps the cells of runs, in each first every other one and then those between. */
function relax(level: Level, runs: usize, runsEnd: usize): void {
  for (let run = runs; run < runsEnd; run += 8) {
    relaxEvery(level, load<i32>(run), load<i32>(run, 4));
    relaxEvery(level, load<i32>(run) + 1, load<i32>(run, 4));
  }
}

/** The same the other way round. */
function relaxBack(level: Level, runs: usize, runsEnd: usize): void {
  for (let run = runsEnd - 8; run >= runs; run -= 8) {
    relaxEvery(level, load<i32>(run) + 1, load<i32>(run, 4));
    relaxEvery(level, load<i32>(run), load<i32>(run, 4));
  }
}

function relaxEvery(level: Level, first: i32, last: i32): void {
  if (first >= last) return;
  const across = 16 * level.stride;
  const beside = f32x4.splat(BESIDE);
  const corner = f32x4.splat(CORNER);
  let own = level.error + 16 * first;
  let right = level.right + 16 * first;
  let inverse = level.inverse + 4 * first;
  let left = v128.load(own - 16);
  let before = f32x4.add(v128.load(own - across - 16), v128.load(own + across - 16));
  for (const stop = level.error + 16 * last; own < stop; own += 32, right += 32, inverse += 8) {
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

/** What the error leaves of the right side. */
function remain(level: Level, runs: usize, runsEnd: usize): void {
  const across = 16 * level.stride;
  const beside = f32x4.splat(BESIDE);
  const corner = f32x4.splat(CORNER);
  for (let run = runs; run < runsEnd; run += 8) {
    const first = load<i32>(run);
    let own = level.error + 16 * first;
    let offset = 16 * first;
    let left = v128.load(own - 16);
    let value = v128.load(own);
    let before = f32x4.add(v128.load(own - across - 16), v128.load(own + across - 16));
    let here = f32x4.add(v128.load(own - across), v128.load(own + across));
    for (const stop = 16 * load<i32>(run, 4); <i32>offset < stop; offset += 16, own += 16) {
      const next = v128.load(own, 16);
      const after = f32x4.add(v128.load(own - across + 16), v128.load(own + across + 16));
      const near = f32x4.mul(beside, f32x4.add(f32x4.add(left, next), here));
      const pull = f32x4.add(near, f32x4.mul(corner, f32x4.add(before, after)));
      const lost = f32x4.mul(v128.load32_splat(level.diagonal + (offset >> 2)), value);
      v128.store(level.rest + offset, f32x4.sub(f32x4.add(pull, v128.load(level.right + offset)), lost));
      before = here;
      here = after;
      left = value;
      value = next;
    }
  }
}

/** The transpose of `interpolate`: what the rest of a fine grid means to the coarse one. */
function restrict(fine: Level, coarse: Level): void {
  const across = 16 * fine.stride;
  const corner = f32x4.splat(0.0625);
  const side = f32x4.splat(0.1875);
  const middle = f32x4.splat(0.5625);
  for (let run = coarse.runs; run < coarse.runsEnd; run += 8) {
    const first = load<i32>(run);
    const last = load<i32>(run, 4);
    const row = first / coarse.stride - 1;
    const column = first - (row + 1) * coarse.stride - 1;
    let b = fine.rest + 16 * ((2 * row + 1) * fine.stride + 2 * column + 1); // the first of the four
    for (let cell = first; cell < last; cell++, b += 32) {
      const a = b - across;
      const c = b + across;
      const d = c + across;
      const outer = f32x4.add(
        f32x4.add(v128.load(a - 16), v128.load(a + 32)),
        f32x4.add(v128.load(d - 16), v128.load(d + 32)),
      );
      const level = f32x4.add(f32x4.add(v128.load(a), v128.load(a + 16)), f32x4.add(v128.load(d), v128.load(d + 16)));
      const upright = f32x4.add(
        f32x4.add(v128.load(b - 16), v128.load(b + 32)),
        f32x4.add(v128.load(c - 16), v128.load(c + 32)),
      );
      const inner = f32x4.add(f32x4.add(v128.load(b), v128.load(b + 16)), f32x4.add(v128.load(c), v128.load(c + 16)));
      const sum = f32x4.add(
        f32x4.add(f32x4.mul(corner, outer), f32x4.mul(side, f32x4.add(level, upright))),
        f32x4.mul(middle, inner),
      );
      v128.store(coarse.right + 16 * cell, sum);
    }
  }
}

/** Adds the coarse error to the fine one: 9/16 of the cell it lies in, 3/16 of the near ones, 1/16 across the corner. */
function interpolate(coarse: Level, fine: Level): void {
  const corner = f32x4.splat(0.0625);
  const side = f32x4.splat(0.1875);
  const middle = f32x4.splat(0.5625);
  const half = coarse.stride;
  for (let run = fine.runs; run < fine.runsEnd; run += 8) {
    const first = load<i32>(run);
    const last = load<i32>(run, 4);
    const row = first / fine.stride - 1;
    const shift = (row + 1) * fine.stride + 1;
    const near = coarse.error + 16 * (((row >> 1) + 1) * half + 1);
    const far = (row & 1) === 1 ? near + 16 * half : near - 16 * half;
    for (let cell = first; cell < last; cell++) {
      const column = cell - shift;
      const at = 16 * (column >> 1);
      const other = at + 32 * (column & 1) - 16;
      const sides = f32x4.add(v128.load(near + other), v128.load(far + at));
      const sum = f32x4.add(
        f32x4.add(f32x4.mul(middle, v128.load(near + at)), f32x4.mul(side, sides)),
        f32x4.mul(corner, v128.load(far + other)),
      );
      const own = fine.error + 16 * cell;
      v128.store(own, f32x4.add(v128.load(own), sum));
    }
  }
}

/**
 * Repeats the cells at the sides beyond them, so that interpolation, and its transpose, see no edge there. The far side of an
 * odd grid has no cell that would look across it.
 */
function mirror(level: Level, numbers: usize): void {
  const row = 16 * level.stride;
  const bytes = 16 * (level.width + 2);
  for (let line = 1; line <= level.height; line++) {
    const first = numbers + row * line + 16;
    v128.store(first - 16, v128.load(first));
    const last = first + 16 * level.width;
    if ((level.width & 1) === 0) v128.store(last, v128.load(last - 16));
  }
  memory.copy(numbers, numbers + row, bytes);
  const below = numbers + row * (level.height + 1);
  if ((level.height & 1) === 0) memory.copy(below, below - row, bytes);
}

/** Zeros beyond the sides again. */
function unmirror(level: Level, numbers: usize): void {
  const row = 16 * level.stride;
  for (let line = 1; line <= level.height; line++) {
    const first = numbers + row * line;
    v128.store(first, f32x4.splat(0));
    v128.store(first + 16 * (level.width + 1), f32x4.splat(0));
  }
  memory.fill(numbers, 0, row);
  memory.fill(numbers + row * (level.height + 1), 0, row);
}
