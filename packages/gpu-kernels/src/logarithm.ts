const LN2_HIGH = 0.6931471803691238; // its last 33 bits are 0: times a power of two it is exact
const LN2_LOW = 1.9082149292705877e-10;
const view = new DataView(new ArrayBuffer(8));

/**
 * The natural logarithm of a normal double above 0, the same bits on every machine: `Math.log` may differ between engines in
 * the last one, and the draws of a seed must not.
 *
 *     x = 2ᵏ(1 + f), √½ < 1 + f < √2, s = f / (2 + f)    ln x = k ln 2 + f − s(f − R(s²)),  R a polynomial
 *
 * Off by less than one unit in the last place. `wasm/random.ts` has it for two numbers at once.
 *
 * @source FreeBSD's msun, e_log.c, which V8's Math.log follows, too
 */
export function logarithm(x: number): number {
  view.setFloat64(0, x);
  const high = view.getInt32(0);
  const mantissa = high & 0xfffff;
  const k = ((high + 0x95f64) >> 20) - 1023; // rounds up from about √2
  view.setInt32(0, high - (k << 20));
  const f = view.getFloat64(0) - 1;
  if (((mantissa + 2) & 0xfffff) < 3) {
    const square = f * f * (0.5 - 0.3333333333333333 * f); // |f| < 2⁻²⁰
    return k * LN2_HIGH - (square - k * LN2_LOW - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const rest = odd + even;
  if (mantissa < 0x6147a || mantissa > 0x6b851) return k * LN2_HIGH - (s * (f - rest) - k * LN2_LOW - f);
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + rest) + k * LN2_LOW) - f);
}
