// Sets of cells of wasm/grid.ts, as bits: which are unknown, what coarse cells that makes, and which are solved for where.

import { Cells, Level, levels, Runs, room, unheld, weigh } from './grid-level';

/** What lies between a coarse cell and a known, or held, cell in it: fewest cycles over many shapes. */
const KNOWN_RESISTANCE: f32 = 0.9;
const HELD_RESISTANCE: f32 = 0.4;
/** Sets, for the search of what is near. */
let marks: usize = 0;
let wider: usize = 0;

/** Makes room for sets of the finest grid. */
export function makeSets(finest: Level): void {
  marks = room(8 * finest.height * finest.words);
  wider = room(8 * finest.height * finest.words);
}

/** The finest sets, from H·W floats; how many cells are unknown. */
export function mark(finest: Level, relevance: usize, threshold: f32): i32 {
  let missing = 0;
  for (let row = 0; row < finest.height; row++) {
    for (let word = 0; word < finest.words; word++) {
      let unknown: u64 = 0;
      const first = relevance + 4 * (row * finest.width + 64 * word);
      for (let column = 0; column < 64; column += 4) {
        const more = f32x4.ge(v128.load(first + 4 * column), f32x4.splat(threshold));
        unknown |= (<u64>i32x4.bitmask(more)) << column;
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
  return columns >= 64 ? ~(<u64>0) : ((<u64>1) << columns) - 1;
}

/** Cells at a side that does not halve are rough. */
function markSides(level: Level): void {
  const pitch = 8 * level.words;
  if ((level.height & 1) === 1) {
    const last = level.rough + (level.height - 1) * pitch;
    for (let word = 0; word < level.words; word++) store<u64>(last + 8 * word, inside(level, word));
  }
  if ((level.width & 1) === 1) {
    const bit = (<u64>1) << ((level.width - 1) & 63);
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
export function coarsen(fine: Level, coarse: Level): void {
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
export function findRuns(level: Level, whole: bool): void {
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
  const end = (<u64>1) << ((level.width - 1) & 63);
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

/** Finds what was in a set and is not unknown now, and puts what is in its place. */
export function findLost(level: Level, set: usize, runs: Runs): void {
  const bytes = 8 * level.height * level.words;
  without(wider, set, level.unknown, bytes);
  findRunsOf(level, wider, runs);
  memory.copy(set, level.unknown, bytes);
}

/** Unknown coarse cells with no deep one in them: the fine grid knows better. */
export function findCovered(fine: Level, coarse: Level): void {
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
