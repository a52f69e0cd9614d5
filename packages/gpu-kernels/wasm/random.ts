// AssemblyScript: `pnpm wasm` compiles it into src/random-wasm.ts. The loops of twister.ts for many draws at a time, two or
// four numbers in one instruction. Nothing is rounded differently: the draws are the same bits.

const SIZE = 624;
const REACH = 397;

/** The generator's words. */
export const STATE: usize = memory.data(4 * 624, 16);
/** Up to three words that are left of the block before, and the block that the state makes. */
const LEFT: usize = memory.data(16 + 4 * 624 + 16, 16);
const WORDS: usize = LEFT + 16;
/** Pairs of normal numbers of a block, and how many points were looked at until each. */
const FIRSTS: usize = memory.data(8 * 160, 16);
const SECONDS: usize = memory.data(8 * 160, 16);
const SQUARES: usize = memory.data(8 * 160, 16);
const ENDS: usize = memory.data(2 * 160, 16);
/** Up to 16,384 floats that draws are added to. */
export const NUMBERS: usize = memory.data(4 * 16384, 16);
/** Where memory is free for permutations. */
export const FREE: usize = __heap_base;

/** Read from memory, a constant takes one instruction instead of three. */
const MASKS: usize = memory.data<u32>([0x9d2c5680, 0xefc60000, 0x80000000, 0x7fffffff, 1, 0x9908b0df], 16);
const WHOLE: usize = memory.data<u64>([0x95f6400000000, 1023, 0xfffff, 0x61479, 0x6b852, 2, 3], 16);
const LOGARITHM: usize = memory.data<f64>(
  [
    0.6931471803691238, 1.9082149292705877e-10, 0.6666666666666735, 0.3999999999940942, 0.2857142874366239,
    0.22222198432149784, 0.1818357216161805, 0.15313837699209373, 0.14798198605116586, 0.3333333333333333, 0.5, 1, 2,
    6755399441055744,
  ],
  16,
);

/** Tempers the state's words into the block; the state itself stays. */
export function temper(): void {
  const low = v128.load32_splat(MASKS, 0);
  const high = v128.load32_splat(MASKS, 4);
  for (let at: usize = 0; at < 4 * SIZE; at += 16) {
    let word = v128.load(STATE + at);
    word = v128.xor(word, i32x4.shr_u(word, 11));
    word = v128.xor(word, v128.and(i32x4.shl(word, 7), low));
    word = v128.xor(word, v128.and(i32x4.shl(word, 15), high));
    v128.store(WORDS + at, v128.xor(word, i32x4.shr_u(word, 18)));
  }
}

/** The next state. */
function twist(): void {
  const first = SIZE - REACH; // 227 = 4·56 + 3 words have one further on, in the old state
  for (let index = 0; index < 224; index += 4) mixFour(index, REACH);
  for (let index = 224; index < first; index++) mixOne(index, index + 1, index + REACH);
  for (let index = first; index < SIZE - 1; index += 4) mixFour(index, -first); // 396 words
  mixOne(SIZE - 1, 0, REACH - 1);
}

function mixFour(index: i32, reach: i32): void {
  const here = STATE + 4 * index;
  const next = v128.load(here, 4);
  const joined = v128.or(
    v128.and(v128.load(here), v128.load32_splat(MASKS, 8)),
    v128.and(next, v128.load32_splat(MASKS, 12)),
  );
  const odd = v128.and(i32x4.neg(v128.and(next, v128.load32_splat(MASKS, 16))), v128.load32_splat(MASKS, 20));
  v128.store(here, v128.xor(v128.load(here + 4 * reach), v128.xor(i32x4.shr_u(joined, 1), odd)));
}

function mixOne(index: i32, after: i32, far: i32): void {
  const next = load<u32>(STATE + 4 * after);
  const joined = (load<u32>(STATE + 4 * index) & 0x80000000) | (next & 0x7fffffff);
  store<u32>(STATE + 4 * index, load<u32>(STATE + 4 * far) ^ (joined >> 1) ^ ((0 - (next & 1)) & 0x9908b0df));
}

/** A new block; words that are left of the old one go before it. Where the next draw starts: 0, or −1 to −3. */
function nextBlock(at: i32): i32 {
  const left = SIZE - at;
  v128.store(WORDS - 16, v128.load(WORDS + 4 * SIZE - 16));
  twist();
  temper();
  return -left;
}

/** Uniform numbers in [0, 1) of two words each, 27 bits of the first and 26 of the second. */
function uniforms(firsts: v128, seconds: v128): v128 {
  const upper = f64x2.mul(f64x2.convert_low_i32x4_u(firsts), f64x2.splat(1.0 / 134217728.0)); // 2⁻²⁷
  const lower = f64x2.mul(f64x2.convert_low_i32x4_u(seconds), f64x2.splat(1.0 / 9007199254740992.0)); // 2⁻⁵³
  return f64x2.add(upper, lower);
}

function upperHalf(words: v128): v128 {
  return v128.shuffle<i32>(words, words, 2, 3, 2, 3);
}

/** Adds low + span·u to the first `count` numbers, a multiple of 4 but for the last ones. Returns the next word's place. */
export function addUniform(at: i32, count: i32, low: f64, span: f64): i32 {
  let numbers = NUMBERS;
  const lows = f64x2.splat(low);
  const spans = f64x2.splat(span);
  while (count > 0) {
    if (at + 2 > SIZE) at = nextBlock(at);
    let many = min((SIZE - at) >> 1, count);
    count -= many;
    let words = WORDS + 4 * at;
    at += 2 * many;
    for (; many >= 4; many -= 4, words += 32, numbers += 16) {
      const one = v128.load(words);
      const two = v128.load(words, 16);
      const firsts = i32x4.shr_u(v128.shuffle<i32>(one, two, 0, 2, 4, 6), 5);
      const seconds = i32x4.shr_u(v128.shuffle<i32>(one, two, 1, 3, 5, 7), 6);
      const early = f64x2.add(lows, f64x2.mul(spans, uniforms(firsts, seconds)));
      const late = f64x2.add(lows, f64x2.mul(spans, uniforms(upperHalf(firsts), upperHalf(seconds))));
      addFour(numbers, early, late);
    }
    for (; many > 0; many--, words += 8, numbers += 4) {
      const u = <f64>(load<u32>(words) >> 5) / 134217728.0 + <f64>(load<u32>(words, 4) >> 6) / 9007199254740992.0;
      store<f32>(numbers, <f32>(<f64>load<f32>(numbers) + (low + span * u)));
    }
  }
  return at;
}

/** Adds four doubles to four floats, rounding once. */
function addFour(numbers: usize, early: v128, late: v128): void {
  const old = v128.load(numbers);
  const first = f32x4.demote_f64x2_zero(f64x2.add(f64x2.promote_low_f32x4(old), early));
  const second = f32x4.demote_f64x2_zero(f64x2.add(f64x2.promote_low_f32x4(upperHalf(old)), late));
  v128.store(numbers, v128.shuffle<i32>(first, second, 0, 1, 4, 5));
}

/** Adds normal numbers of this deviation to the first 2·`pairs` numbers. Returns the next word's place. */
export function addNormal(at: i32, pairs: i32, deviation: f64): i32 {
  let numbers = NUMBERS;
  const deviations = f64x2.splat(deviation);
  while (pairs > 0) {
    if (at + 4 > SIZE) at = nextBlock(at);
    const candidates = (SIZE - at) >> 2;
    const found = findPairs(at, candidates);
    const many = min(found, pairs);
    at += 4 * (found >= pairs ? <i32>load<u16>(ENDS + 2 * (pairs - 1)) : candidates);
    pairs -= many;
    scalePairs(many);
    for (let pair = 0; pair < many; pair += 2, numbers += 16) {
      const firsts = f64x2.mul(deviations, v128.load(FIRSTS + 8 * pair));
      const seconds = f64x2.mul(deviations, v128.load(SECONDS + 8 * pair));
      const early = v128.shuffle<i64>(firsts, seconds, 0, 2);
      const late = v128.shuffle<i64>(firsts, seconds, 1, 3);
      if (pair + 1 < many) addFour(numbers, early, late);
      else {
        store<f32>(numbers, <f32>(<f64>load<f32>(numbers) + f64x2.extract_lane(early, 0)));
        store<f32>(numbers, <f32>(<f64>load<f32>(numbers, 4) + f64x2.extract_lane(early, 1)), 4);
        numbers -= 8;
      }
    }
  }
  return at;
}

/**
 * The points (x, y) of a block that lie in the unit circle: a place is written by every point and passed by those, for no
 * processor could foresee which. ENDS holds how many points were looked at by then.
 */
function findPairs(at: i32, candidates: i32): i32 {
  const one = f64x2.splat(1.0);
  const upper = f64x2.splat(1.0 / 67108864.0); // 2⁻²⁶ and 2⁻⁵²: twice a uniform number
  const lower = f64x2.splat(1.0 / 4503599627370496.0);
  let words = WORDS + 4 * at;
  let count = 0;
  for (let point = 0; point < candidates; point += 2, words += 32) {
    const early = v128.load(words);
    const late = v128.load(words, 16); // beyond the block where the last point stands alone: it does not count then
    const firsts = i32x4.shr_u(v128.shuffle<i32>(early, late, 0, 4, 2, 6), 5);
    const seconds = i32x4.shr_u(v128.shuffle<i32>(early, late, 1, 5, 3, 7), 6);
    const x = f64x2.sub(
      f64x2.add(
        f64x2.mul(upper, f64x2.convert_low_i32x4_u(firsts)),
        f64x2.mul(lower, f64x2.convert_low_i32x4_u(seconds)),
      ),
      one,
    );
    const y = f64x2.sub(
      f64x2.add(
        f64x2.mul(upper, f64x2.convert_low_i32x4_u(upperHalf(firsts))),
        f64x2.mul(lower, f64x2.convert_low_i32x4_u(upperHalf(seconds))),
      ),
      one,
    );
    const squared = f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y));
    const inside = v128.and(f64x2.lt(squared, one), f64x2.gt(squared, f64x2.splat(0.0)));
    v128.store64_lane(FIRSTS + 8 * count, y, 0);
    v128.store64_lane(SECONDS + 8 * count, x, 0);
    v128.store64_lane(SQUARES + 8 * count, squared, 0);
    store<u16>(ENDS + 2 * count, <u16>(point + 1));
    count -= <i32>i64x2.extract_lane(inside, 0);
    v128.store64_lane(FIRSTS + 8 * count, y, 1);
    v128.store64_lane(SECONDS + 8 * count, x, 1);
    v128.store64_lane(SQUARES + 8 * count, squared, 1);
    store<u16>(ENDS + 2 * count, <u16>(point + 2));
    count -= <i32>i64x2.extract_lane(inside, 1) & -i32(point + 1 < candidates);
  }
  return count;
}

/** Points to normal numbers: (x, y)·√(−2 ln s / s). */
function scalePairs(count: i32): void {
  for (let at: usize = 0; at < 8 * count; at += 16) {
    const squared = v128.load(SQUARES + at);
    const scale = f64x2.sqrt(f64x2.div(f64x2.mul(f64x2.splat(-2.0), logarithm(squared)), squared));
    v128.store(FIRSTS + at, f64x2.mul(v128.load(FIRSTS + at), scale));
    v128.store(SECONDS + at, f64x2.mul(v128.load(SECONDS + at), scale));
  }
}

/** The natural logarithm of two normal doubles above 0, as logarithm.ts computes it: its three cases, and a choice. */
function logarithm(x: v128): v128 {
  const power = i64x2.sub(
    i64x2.shr_u(i64x2.add(x, v128.load64_splat(WHOLE, 0)), 52), // rounds up from about √2
    v128.load64_splat(WHOLE, 8),
  );
  const f = f64x2.sub(i64x2.sub(x, i64x2.shl(power, 52)), v128.load64_splat(LOGARITHM, 88));
  const magic = v128.load64_splat(LOGARITHM, 104); // 1.5·2⁵²: whole numbers become doubles
  const k = f64x2.sub(i64x2.add(power, magic), magic);
  const high = f64x2.mul(k, v128.load64_splat(LOGARITHM, 0));
  const low = f64x2.mul(k, v128.load64_splat(LOGARITHM, 8));

  const s = f64x2.div(f, f64x2.add(v128.load64_splat(LOGARITHM, 96), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  let even = f64x2.add(v128.load64_splat(LOGARITHM, 40), f64x2.mul(w, v128.load64_splat(LOGARITHM, 56)));
  even = f64x2.mul(w, f64x2.add(v128.load64_splat(LOGARITHM, 24), f64x2.mul(w, even)));
  let odd = f64x2.add(v128.load64_splat(LOGARITHM, 48), f64x2.mul(w, v128.load64_splat(LOGARITHM, 64)));
  odd = f64x2.add(v128.load64_splat(LOGARITHM, 32), f64x2.mul(w, odd));
  odd = f64x2.mul(z, f64x2.add(v128.load64_splat(LOGARITHM, 16), f64x2.mul(w, odd)));
  const rest = f64x2.add(odd, even);

  const half = f64x2.mul(f64x2.mul(v128.load64_splat(LOGARITHM, 80), f), f);
  const middle = f64x2.sub(half, f64x2.add(f64x2.mul(s, f64x2.add(half, rest)), low));
  const outer = f64x2.sub(f64x2.mul(s, f64x2.sub(f, rest)), low);
  const third = f64x2.sub(v128.load64_splat(LOGARITHM, 80), f64x2.mul(v128.load64_splat(LOGARITHM, 72), f));
  const near = f64x2.sub(f64x2.mul(f64x2.mul(f, f), third), low);

  const mantissa = v128.and(i64x2.shr_u(x, 32), v128.load64_splat(WHOLE, 16));
  const inMiddle = v128.and(
    i64x2.gt_s(mantissa, v128.load64_splat(WHOLE, 24)),
    i64x2.gt_s(v128.load64_splat(WHOLE, 32), mantissa),
  );
  const beside = v128.and(i64x2.add(mantissa, v128.load64_splat(WHOLE, 40)), v128.load64_splat(WHOLE, 16));
  const chosen = v128.bitselect(
    near,
    v128.bitselect(middle, outer, inMiddle),
    i64x2.gt_s(v128.load64_splat(WHOLE, 48), beside),
  );
  return f64x2.sub(high, f64x2.sub(chosen, f));
}

/**
 * Draws for each place from count − 1 down to 1 a partner at or before it, and writes it at `partners`. There is no branch
 * on a draw that is refused: it is written, and written over.
 */
export function drawPartners(at: i32, count: i32, partners: usize): i32 {
  let place = count - 1;
  while (place > 0) {
    if (at >= SIZE) at = nextBlock(at);
    const mask: i32 = -1 >>> clz(place);
    const below = mask >>> 1;
    let words = WORDS + 4 * at;
    const end = WORDS + 4 * SIZE;
    for (; place > below && words < end; words += 4) {
      const draw = load<i32>(words) & mask;
      store<i32>(partners + 4 * place, draw);
      place += (draw - 1 - place) >> 31; // stays where the draw is refused
    }
    at = <i32>((words - WORDS) >> 2);
  }
  return at;
}

/** Writes the numbers 0 to count − 1 at `order`, each place from the last down to 1 swapped with its partner. */
export function swapAll(count: i32, partners: usize, order: usize): void {
  for (let place = 0; place < count; place++) store<i32>(order + 4 * place, place);
  for (let place = count - 1; place > 0; place--) {
    const here = order + 4 * place;
    const there = order + 4 * load<u32>(partners + 4 * place);
    const number = load<i32>(here);
    store<i32>(here, load<i32>(there));
    store<i32>(there, number);
  }
}

/**
 * Only the first numbers of `swapAll`, at `order`: the swaps are followed back for the few places that are looked for. A bit
 * tells where one of them stands at a time; so many fit into the nearest memory. Which one it is stands in the marks, two
 * bytes for each place. Both follow the room for these numbers.
 */
export function swapFirst(count: i32, first: i32, partners: usize, order: usize): void {
  const marks = order + 4 * first;
  const bits = marks + 2 * count;
  memory.fill(bits, 0, (count >> 3) + 1);
  for (let place = 0; place < first; place++) {
    turn(bits, place);
    store<u16>(marks + 2 * place, <u16>place);
  }
  for (let place = 1; place < count; place++) {
    const other = load<i32>(partners + 4 * place);
    if ((load<u8>(bits + (place >> 3)) | load<u8>(bits + (other >> 3))) === 0) continue; // no mark near either
    const here = marked(bits, place);
    const there = marked(bits, other);
    if ((here | there) === 0) continue;
    const own = load<u16>(marks + 2 * place);
    store<u16>(marks + 2 * place, load<u16>(marks + 2 * other));
    store<u16>(marks + 2 * other, own);
    if (here === there) continue;
    turn(bits, place);
    turn(bits, other);
  }
  for (let place = 0; place < count; place++) {
    if (marked(bits, place)) store<i32>(order + 4 * <usize>load<u16>(marks + 2 * place), place);
  }
}

function marked(bits: usize, place: i32): i32 {
  return (<i32>load<u8>(bits + (place >> 3)) >> (place & 7)) & 1;
}

function turn(bits: usize, place: i32): void {
  store<u8>(bits + (place >> 3), load<u8>(bits + (place >> 3)) ^ ((<u8>1) << (<u8>(place & 7))));
}
