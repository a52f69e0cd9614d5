// AssemblyScript: `pnpm wasm` compiles it into src/grid-wasm.ts. Fills unknown pixels so that each is the weighted mean of its
// neighbours, for up to four channels at once: a cell is four floats. grid-solver.ts tells the method.

import { border, clear, extend, extendRun, solve, zero } from './grid-cycle';
import { Level, levels, makeLevels, Runs, room } from './grid-level';
import { coarsen, findCovered, findLost, findRuns, makeSets, mark } from './grid-sets';

/** The means of the image's channels. */
let means: v128 = f32x4.splat(0);
/** How far the image's numbers are from those, at most. */
let spread: v128 = f32x4.splat(0);
/** Cells of a row. */
let line: usize = 0;
/** What was filled last. */
let touched: usize = 0;
/**
 * Where the relevance of pixels, H·W floats, is written; planes of H·W floats for each of four channels: the image, what is
 * added, and what comes out.
 */
export let relevance: usize = 0;
export let image: usize = 0;
export let noise: usize = 0;
export let filled: usize = 0;

/** Makes room for images of this size; that for others is given up. */
export function layout(height: i32, width: i32): void {
  heap.reset();
  makeLevels(height, width);
  makeSets(levels[0]);
  const size = height * width;
  relevance = room(4 * (size + 64));
  image = room(16 * size);
  noise = room(16 * size);
  filled = room(16 * size);
  line = room(16 * width);
  touched = room(8 * height * levels[0].words);
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
  spread = f32x4.splat(0);
  for (let row = 0; row < finest.height; row++) {
    const first = (row + 1) * finest.stride + 1;
    const last = first + finest.width;
    centerRun(channels, finest, first, last);
    for (let offset = 16 * first; offset < 16 * last; offset += 16) {
      spread = f32x4.max(spread, f32x4.abs(v128.load(finest.value + offset)));
    }
  }
  memory.copy(filled, image, 4 * channels * size);
  memory.fill(touched, 0, 8 * finest.height * finest.words);
}

/** The numbers of a pixel. */
export function colour(channels: i32, plane: i32, pixel: usize): v128 {
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
  const missing = mark(finest, relevance, threshold);
  for (let at = 1; at <= last; at++) coarsen(levels[at - 1], levels[at]);
  for (let at = 0; at <= last; at++) {
    findRuns(levels[at], whole || at === last);
    if (at > 0) findCovered(levels[at - 1], levels[at]);
  }
  zero(finest.value, finest.near);
  zero(finest.value, finest.halo);
  if (missing > 0 && missing < size) solve(last, tolerance, spread);
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
  findLost(finest, touched, finest.covered);
  const plane = 4 * finest.height * finest.width;
  for (let run = finest.covered.start; run < finest.covered.end; run += 8) {
    const first = load<i32>(run);
    const offset = offsetOf(finest, first);
    const length = 4 * (load<i32>(run, 4) - first);
    for (let channel = 0; channel < channels; channel++) {
      memory.copy(filled + channel * plane + offset, image + channel * plane + offset, length);
    }
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
      if (channels > 3)
        putFour(offset + 3 * plane, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), f32x4.extract_lane(middle, 3));
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
