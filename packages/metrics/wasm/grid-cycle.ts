// The cycles of wasm/grid.ts: full approximation, Gauss–Seidel in four colours.

import { Cells, Level, levels, Runs } from './grid-level';

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
/** No more than that, whatever the tolerance. */
const MOST_CYCLES = 200;
/** The least tolerance, what float32 reaches, as a share of the image's spread. */
const LEAST_SHARE: f32 = 2e-6;
/** The largest residual, by its mean square, in tolerances. */
const MOST_RESIDUAL: f32 = 0.1;
/** The most that the last cycle may have changed, in tolerances: the first ones tell little of the next. */
const MOST_CHANGE: f32 = 20;

export function solve(last: i32, tolerance: f64, spread: v128): void {
  if (last === 0) {
    for (let sweep = 0; sweep < SMALL_SWEEPS; sweep++) relax(levels[0], 0, levels[0].near);
    return;
  }
  let before = f32x4.splat(0);
  let residual = f64.MAX_VALUE;
  let sweeps = HOT_SWEEPS;
  const cells = <f32>sizeOf(levels[0].near);
  const enough = f32x4.max(f32x4.splat(<f32>tolerance), f32x4.mul(spread, f32x4.splat(LEAST_SHARE)));
  for (let cycles = 0; cycles < MOST_CYCLES; cycles++) {
    change = f32x4.splat(0);
    cycle(0, last, sweeps, cycles === 0);
    if (cycles > 0 && done(enough, before, cells)) return;
    const left = together(squares);
    if (left > 0.25 * residual) sweeps = min(2 * sweeps, 64); // more than half is left
    residual = left;
    before = change;
  }
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

export function zero(numbers: usize, runs: Runs): void {
  for (let run = runs.start; run < runs.end; run += 8) {
    const first = load<i32>(run);
    memory.fill(numbers + 16 * first, 0, 16 * (load<i32>(run, 4) - first));
  }
}

export function clear(level: Level, coarse: bool): void {
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
export function extend(coarse: Level, fine: Level, runs: Runs): void {
  for (let run = runs.start; run < runs.end; run += 8) {
    const first = load<i32>(run);
    extendRun(coarse, fine, first, load<i32>(run, 4), fine.value + 16 * first);
  }
}

export function extendRun(coarse: Level, fine: Level, first: i32, last: i32, into: usize): void {
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

/** A column's part: of the row further away, of the middle one and of the nearer one. */
function across(far: v128, middle: v128, close: v128, a: f32, b: f32, c: f32): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(a / 256), far), f32x4.mul(f32x4.splat(b / 256), middle)),
    f32x4.mul(f32x4.splat(c / 256), close),
  );
}

/** The cells beyond the sides of a coarse grid. */
export function border(level: Level, numbers: usize): void {
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
