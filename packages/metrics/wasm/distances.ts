// AssemblyScript: `pnpm wasm` compiles it into src/distances-wasm.ts. Adds what some pixels contribute to the squared
// distances between maps, as the plain loops of sufficiency.ts do, in their order and so with the same bits.

/** Pixels of a block at most; a multiple of 4. */
const BLOCK = 2048;

let scales: usize = 0;
/** A block of each map, floats, one map after the other; and count·count sums, doubles, of which those below the diagonal are used. */
export let parts: usize = 0;
export let squares: usize = 0;

/** Makes room for so many maps, with sums of 0; that for others is given up. */
export function layout(count: i32): void {
  heap.reset();
  scales = heap.alloc(8 * BLOCK);
  parts = heap.alloc(4 * BLOCK * count);
  squares = heap.alloc(8 * count * count);
  memory.fill(squares, 0, 8 * count * count);
}

/** Divides a map's numbers, those below 0 by the second divisor; up to three beyond them change, too. */
export function scale(map: i32, length: i32, positive: f32, negative: f32): void {
  const above = f32x4.splat(positive);
  const below = f32x4.splat(negative);
  let own = parts + 4 * BLOCK * map;
  for (const end = own + 4 * length; own < end; own += 16) {
    const numbers = v128.load(own);
    const divisors = v128.bitselect(below, above, f32x4.lt(numbers, f32x4.splat(0)));
    v128.store(own, f32x4.div(numbers, divisors));
  }
}

/** Adds the contributions of so many pixels; an odd number is followed by a pixel that is 0 in all maps. */
export function add(count: i32, length: i32): void {
  const pixels = (length + 1) & ~1;
  const share = f64x2.splat(1.0 / <f64>count);
  const degrees = f64x2.splat(<f64>(count - 1));
  const zero = f64x2.splat(0);
  for (let pixel = 0; pixel < pixels; pixel += 2) {
    let sum = zero;
    for (let map = 0; map < count; map++) sum = f64x2.add(sum, pair(map, pixel));
    const mean = f64x2.mul(share, sum);
    let square = zero;
    for (let map = 0; map < count; map++) {
      const difference = f64x2.sub(pair(map, pixel), mean);
      square = f64x2.add(square, f64x2.mul(difference, difference));
    }
    v128.store(scales + 8 * pixel, v128.and(f64x2.div(degrees, square), f64x2.gt(square, zero)));
  }
  for (let row = 1; row < count; row++) {
    for (let column = 0; column < row; column++) {
      let sum = 0.0;
      for (let pixel = 0; pixel < pixels; pixel += 2) {
        const difference = f64x2.sub(pair(row, pixel), pair(column, pixel));
        const square = f64x2.mul(f64x2.mul(v128.load(scales + 8 * pixel), difference), difference);
        sum += f64x2.extract_lane(square, 0);
        sum += f64x2.extract_lane(square, 1);
      }
      const at = squares + 8 * (row * count + column);
      store<f64>(at, load<f64>(at) + sum);
    }
  }
}

function pair(map: i32, pixel: i32): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(parts + 4 * (BLOCK * map + pixel)));
}
