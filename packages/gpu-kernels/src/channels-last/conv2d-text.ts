// Pieces that programs of convolutions with channels last have in common, and what helps to write such programs out.

/** `conv2dLastUniforms`, in their order, and fields that one program has beside them. */
export function uniformsText(more = ''): string {
  return /* wgsl */ `
  struct Uniforms {
    pixels: u32,                                                       // N × rows × columns
    height: u32, width: u32, quadsIn: u32,
    rows: u32, columns: u32, quadsOut: u32,
    kernelHeight: u32, kernelWidth: u32,
    strideY: u32, strideX: u32,
    padTop: u32, padLeft: u32,                                         // two's complement: may be negative on the way back
    dilationY: u32, dilationX: u32,
    spreadY: u32, spreadX: u32,                                        // the strides on the way back, else 1
    residualStep: u32,                                                 // quadsOut, or 0 for one row added everywhere
    relu: u32,                                                         // 1: negative results become 0${more}
  }`;
}

/** Where windows begin. */
export const placeText = /* wgsl */ `
  // Where the window of a pixel begins; y is far below 0 for pixels past the last.
  struct Place { base: u32, y: i32, x: i32 }

  fn placeOf(pixel: u32) -> Place {
    if (pixel >= u.pixels) { return Place(0u, -0x40000000, 0); }
    let row = (pixel / u.columns) % u.rows;
    let image = pixel / (u.columns * u.rows);
    let y = i32(row * u.strideY) - i32(u.padTop);
    return Place(image * u.height * u.width, y, i32((pixel % u.columns) * u.strideX) - i32(u.padLeft));
  }`;

/**
 * What a load is made of, so that it stays on its way from memory while the slab before is multiplied. A branch around it, or a look
 * at what it brings, makes invocations wait for it on the spot.
 */
export const foundText = /* wgsl */ `
  // Where a number is. What is not there is read from 0, and zeros are put in its place when it is stored.
  struct Found { at: u32, there: bool }

  fn found(at: u32, there: bool) -> Found {
    return Found(select(0u, at, there), there);
  }`;

/** Statements that go on by so many of a window's quads or chunks: along its channels first, then to its next places. */
export function advanceText(index: string, length: string, step: number): string {
  return /* wgsl */ `
        ${index} += ${step}u;
        if (${index} >= ${length}) {
          let places = ${index} / ${length}; // more than one where there are few channels
          ${index} -= places * ${length};
          kx += places;
          if (kx >= u.kernelWidth) {
            ky += kx / u.kernelWidth;
            kx = kx % u.kernelWidth;
          }
        }`;
}

/** 0, 1, … up to a length. */
export function count(length: number): readonly number[] {
  return [...Array(length).keys()];
}

/** Statements, one below the other. */
export function lines(statements: readonly string[]): string {
  return statements.join('\n    ');
}
