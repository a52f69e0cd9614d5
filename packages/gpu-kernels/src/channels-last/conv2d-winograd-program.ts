import { count, foundText, lines, uniformsText } from './conv2d-text.ts';

const load = lines(
  count(4).flatMap((i) => [
    `f = pixelQuad(upper, x + ${i}, quad); upper${i} = input[f.at]; isUpper${i} = f.there;`,
    `f = pixelQuad(lower, x + ${i}, quad); lower${i} = input[f.at]; isLower${i} = f.there;`,
    `f = filterQuad(lane + ${256 * i}u, firstChannel, firstQuad); b${i} = weights[f.at]; isB${i} = f.there;`,
  ]),
);

/** The program of `conv2dWinograd`: 256 invocations compute 32 tiles of 2×2 pixels of 32 channels. */
export const winogradProgram = /* wgsl */ `${uniformsText()}
  @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quadsIn
  @group(0) @binding(1) var<storage, read> weights: array<vec4f>;      // (16 · 4·quadsIn) × quadsOut
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec4f>;     // pixels × quadsOut, or quadsOut
  @group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // pixels × quadsOut
  @group(0) @binding(5) var<uniform> u: Uniforms;

  // 16 places × 32 tiles × 2 quads of what is read; at the end 16 places × 8 tiles × 8 quads of sums
  var<workgroup> moved: array<vec4f, 1024>;
  var<workgroup> filters: array<vec4f, 1024>;                          // 16 places × 8 channels × 8 quads

  // Where a tile stands: its image's first pixel, and the row and column of its first pixel of the output.
  struct Tile { image: u32, row: u32, column: u32 }

  fn tileOf(tile: u32) -> Tile {
    let across = (u.columns + 1u) / 2u;
    let down = (u.rows + 1u) / 2u;
    return Tile(tile / (across * down), 2u * (tile / across % down), 2u * (tile % across));
  }

  fn isBeyond(tile: Tile) -> bool {
    return tile.image * u.rows * u.columns >= u.pixels;
  }
${foundText}

  // A row of pixels: where the first is, in pixels, and whether it is in the image.
  struct Row { first: u32, there: bool }

  fn rowOf(tile: Tile, y: i32) -> Row {
    return Row((tile.image * u.height + u32(y)) * u.width, u32(y) < u.height); // below 0 is far above as u32
  }

  // Four channels of a pixel; not there outside the image and past the last channel.
  fn pixelQuad(row: Row, x: i32, quad: u32) -> Found {
    return found((row.first + u32(x)) * u.quadsIn + quad, row.there & (u32(x) < u.width) & (quad < u.quadsIn));
  }

  // Element number of a slab of the filters: a quad of a channel at a place.
  fn filterQuad(element: u32, firstChannel: u32, firstQuad: u32) -> Found {
    let quad = firstQuad + element % 8u;
    let channel = firstChannel + element / 8u % 8u;
    return found((element / 64u * 4u * u.quadsIn + channel) * u.quadsOut + quad, (quad < u.quadsOut) & (channel < 4u * u.quadsIn));
  }

  fn orZeros(value: vec4f, there: bool) -> vec4f {
    return select(vec4f(), value, there);
  }

  // sum + a · (b0, b1, b2, b3)
  fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
    return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
  }

  // The sums of a tile of eight become pixels, one for each invocation: the rows of Aᵀ are (1, 1, 1, 0) and (0, 1, −1, −1), so a
  // pixel is the sum of nine places with signs.
  fn finish(lane: u32, firstTile: u32, firstQuad: u32) {
    let tile = tileOf(firstTile + lane / 8u % 8u);
    let quad = firstQuad + lane % 8u;
    let down = lane / 128u;
    let right = lane / 64u % 2u;
    let row = tile.row + down;
    let column = tile.column + right;
    if (isBeyond(tile) || row >= u.rows || column >= u.columns || quad >= u.quadsOut) { return; }
    var sum = vec4f();
    for (var at = 0u; at < 9u; at++) {
      let i = at / 3u;
      let j = at % 3u;
      let negative = (down == 1u && i > 0u) != (right == 1u && j > 0u);
      sum = fma(vec4f(select(1.0, -1.0, negative)), moved[((i + down) * 4u + j + right) * 64u + lane % 64u], sum);
    }
    let pixel = (tile.image * u.rows + row) * u.columns + column;
    let value = sum + bias[quad] + residual[pixel * u.residualStep + quad];
    output[pixel * u.quadsOut + quad] = select(value, max(value, vec4f()), u.relu == 1u);
  }

  @compute @workgroup_size(256)
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let index = group.x + group.y * groups.x;
    let strips = (u.quadsOut + 7u) / 8u;
    let firstQuad = index % strips * 8u;
    let firstTile = index / strips * 32u;
    if (isBeyond(tileOf(firstTile))) { return; }

    // This lane makes row lane / 64 of V for one quad of one tile, and brings four quads of the filters.
    let tile = tileOf(firstTile + lane / 2u % 32u);
    let madeRow = lane / 64u;
    let madeAt = madeRow * 256u + lane % 64u;
    let firstRead = select(lane % 2u, u.quadsIn, isBeyond(tile)); // past the last tile all is zero

    // Rows 0 to 3 of Bᵀ are (1, 0, −1, 0), (0, 1, 1, 0), (0, −1, 1, 0), (0, 1, 0, −1): two rows of d, the second times a sign.
    let top = i32(tile.row) - i32(u.padTop);
    let x = i32(tile.column) - i32(u.padLeft);
    let upper = rowOf(tile, top + select(select(1, 2, madeRow == 2u), 0, madeRow == 0u));
    let lower = rowOf(tile, top + select(select(2, 1, madeRow == 2u), 3, madeRow == 3u));
    let sign = vec4f(select(-1.0, 1.0, madeRow == 1u));

    // It multiplies at place lane / 16: eight tiles, two quads.
    let place = lane / 16u;
    let left = place * 64u + lane % 16u / 4u * 2u;
    let right = place * 64u + lane % 4u;
    var s00 = vec4f(); var s01 = vec4f(); var s10 = vec4f(); var s11 = vec4f();
    var s20 = vec4f(); var s21 = vec4f(); var s30 = vec4f(); var s31 = vec4f();
    var s40 = vec4f(); var s41 = vec4f(); var s50 = vec4f(); var s51 = vec4f();
    var s60 = vec4f(); var s61 = vec4f(); var s70 = vec4f(); var s71 = vec4f();

    var quad = firstRead;
    var firstChannel = 0u;
    var f: Found;
    ${lines(count(4).map((i) => `var upper${i}: vec4f; var isUpper${i}: bool; var lower${i}: vec4f; var isLower${i}: bool; var b${i}: vec4f; var isB${i}: bool;`))}
    ${load}

    let slabs = (u.quadsIn + 1u) / 2u;
    for (var slab = 0u; slab < slabs; slab++) {
      // The columns of a row of Bᵀ d become a row of V = Bᵀ d B.
      ${lines(count(4).map((i) => `let d${i} = fma(sign, orZeros(lower${i}, isLower${i}), orZeros(upper${i}, isUpper${i}));`))}
      workgroupBarrier(); // the slab before has been read
      moved[madeAt] = d0 - d2; moved[madeAt + 64u] = d1 + d2;
      moved[madeAt + 128u] = d2 - d1; moved[madeAt + 192u] = d1 - d3;
      ${lines(count(4).map((i) => `filters[lane + ${256 * i}u] = orZeros(b${i}, isB${i});`))}
      workgroupBarrier(); // this slab is written
      // the next slab, zeros after the last, is on its way from memory while this one is multiplied
      quad += 2u;
      firstChannel += 8u;
      ${load}
      for (var k = 0u; k < 2u; k++) {
        let l0 = filters[right + 32u * k]; let l1 = filters[right + 32u * k + 8u];
        let l2 = filters[right + 32u * k + 16u]; let l3 = filters[right + 32u * k + 24u];
        let r0 = filters[right + 32u * k + 4u]; let r1 = filters[right + 32u * k + 12u];
        let r2 = filters[right + 32u * k + 20u]; let r3 = filters[right + 32u * k + 28u];
        var a = moved[left + k];
        s00 = added(s00, a, l0, l1, l2, l3); s01 = added(s01, a, r0, r1, r2, r3);
        a = moved[left + k + 8u];
        s10 = added(s10, a, l0, l1, l2, l3); s11 = added(s11, a, r0, r1, r2, r3);
        a = moved[left + k + 16u];
        s20 = added(s20, a, l0, l1, l2, l3); s21 = added(s21, a, r0, r1, r2, r3);
        a = moved[left + k + 24u];
        s30 = added(s30, a, l0, l1, l2, l3); s31 = added(s31, a, r0, r1, r2, r3);
        a = moved[left + k + 32u];
        s40 = added(s40, a, l0, l1, l2, l3); s41 = added(s41, a, r0, r1, r2, r3);
        a = moved[left + k + 40u];
        s50 = added(s50, a, l0, l1, l2, l3); s51 = added(s51, a, r0, r1, r2, r3);
        a = moved[left + k + 48u];
        s60 = added(s60, a, l0, l1, l2, l3); s61 = added(s61, a, r0, r1, r2, r3);
        a = moved[left + k + 56u];
        s70 = added(s70, a, l0, l1, l2, l3); s71 = added(s71, a, r0, r1, r2, r3);
      }
    }

    // Eight tiles of sums at a time, two of each invocation, are passed around.
    let own = (place * 8u + lane % 16u / 4u) * 8u + lane % 4u;
    for (var part = 0u; part < 4u; part++) {
      moved[own] = s00; moved[own + 4u] = s01;
      moved[own + 32u] = s10; moved[own + 36u] = s11;
      workgroupBarrier(); // the sums of eight tiles are written
      finish(lane, firstTile + 8u * part, firstQuad);
      workgroupBarrier(); // and read
      s00 = s20; s01 = s21; s10 = s30; s11 = s31;
      s20 = s40; s21 = s41; s30 = s50; s31 = s51;
      s40 = s60; s41 = s61; s50 = s70; s51 = s71;
    }
  }`;
