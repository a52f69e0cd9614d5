/**
 * Little-endian float32 numbers as they lie in a file: a view where the bytes are aligned, a copy where they are not.
 */
export function floatsFromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteOffset % 4 === 0)
    return new Float32Array(buffer, byteOffset, byteLength / 4);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Little-endian float64 numbers, rounded to float32. */
export function floatsFromDoubles(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Float64Array(new Uint8Array(bytes).buffer));
}

/** Bit patterns of IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits) → float32; exact. */
export function floatsFromHalves(patterns: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(patterns.length);
  const bits = new Uint32Array(floats.buffer);
  for (let index = 0; index < patterns.length; index++) {
    const pattern = patterns[index];
    const exponent = pattern & 0x7c00;
    const sign = (pattern & 0x8000) << 16;
    // Same fraction, exponent bias 127 instead of 15; infinity and NaN have all exponent bits set in both formats.
    if (exponent === 0x7c00) bits[index] = sign | 0x7f800000 | ((pattern & 0x3ff) << 13);
    else if (exponent !== 0) bits[index] = sign | (((pattern & 0x7fff) << 13) + ((127 - 15) << 23));
    // Subnormal halves are whole multiples of 2⁻²⁴.
    else floats[index] = (sign === 0 ? 1 : -1) * (pattern & 0x3ff) * 2 ** -24;
  }
  return floats;
}

/** Bit patterns of bfloat16, the upper half of a float32 → float32; exact. */
export function floatsFromBrainHalves(patterns: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(patterns.length);
  for (let index = 0; index < patterns.length; index++) bits[index] = patterns[index] << 16;
  return new Float32Array(bits.buffer);
}
