// What `matrixProgram` says of the shortcut that a convolution adds.

/** How a shortcut is read where it is added. */
export const residualText = /* wgsl */ `
  fn residualAt(pixel: u32, quad: u32) -> vec2u {
    return residual[found(pixel * u.residualStep + quad, (pixel < u.pixels) & (quad < u.quadsOut)).at];
  }`;

/** How it is read where it is multiplied with ones on a diagonal. */
export function diagonalText(chunk: 4 | 8): string {
  const [Chunk, words] = chunk === 8 ? ['vec4u', 'vec4u(0u, 1u, 2u, 3u)'] : ['vec2u', 'vec2u(0u, 1u)'];
  return /* wgsl */ `
  // A chunk of a pixel's channels in the shortcut.
  fn shortcutChunk(pixel: u32, chunk: u32) -> Found {
    let length = u.quadsOut / ${chunk / 4}u;
    return found(pixel * length + chunk, (pixel < u.pixels) & (chunk < length));
  }

  // Halves of which number so much is 1, none where there are fewer: below 0 is far above as u32.
  fn ones(number: u32) -> ${Chunk} {
    let bits = 0x3c00u << (16u * (number % 2u));
    return select(${Chunk}(), ${Chunk}(bits), ${words} == ${Chunk}(number / 2u));
  }

  // What is added everywhere, where that is one row.
  fn rowAt(quad: u32) -> vec4f {
    let row = residual[quad / ${chunk / 4}u];
    let numbers = ${chunk === 8 ? 'numbersOf(select(row.xy, row.zw, quad % 2u == 1u))' : 'numbersOf(row)'};
    return select(vec4f(), numbers, u.residualStep == 0u);
  }`;
}
