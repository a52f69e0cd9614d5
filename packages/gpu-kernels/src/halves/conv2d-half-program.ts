/**
 * The program of `conv2dHalf` for any device: `conv2dLast`'s, with halves in memory and float32 in workgroup memory and sums. It
 * needs no feature, as packing and unpacking halves is part of WGSL.
 */
export const halfProgram = /* wgsl */ `
  override across: u32 = 8u;
  override down: u32 = 8u;

  struct Uniforms {
    pixels: u32,                                                       // N × rows × columns
    height: u32, width: u32, quadsIn: u32,
    rows: u32, columns: u32, quadsOut: u32,
    kernelHeight: u32, kernelWidth: u32,
    strideY: u32, strideX: u32,
    padTop: u32, padLeft: u32,                                         // two's complement: may be negative on the way back
    dilationY: u32, dilationX: u32,
    spreadY: u32, spreadX: u32,
    residualStep: u32,                                                 // quadsOut, or 0 for one row added everywhere
    relu: u32,                                                         // 1: negative results become 0
  }
  @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quadsIn, halves
  @group(0) @binding(1) var<storage, read> weights: array<vec2u>;      // (kernelHeight · kernelWidth · 4·quadsIn) × quadsOut, halves
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4f, 32u * down>;                   // 8·down pixels × 4 quads
  var<workgroup> filters: array<vec4f, 32u * across>;                  // 16 rows × 2·across quads

  // Four halves as numbers.
  fn opened(quad: vec2u) -> vec4f {
    return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
  }

  // Where the window of a pixel begins; y is far below 0 for pixels past the last.
  struct Place { base: u32, y: i32, x: i32 }

  fn placeOf(pixel: u32) -> Place {
    if (pixel >= u.pixels) { return Place(0u, -0x40000000, 0); }
    let row = (pixel / u.columns) % u.rows;
    let image = pixel / (u.columns * u.rows);
    let y = i32(row * u.strideY) - i32(u.padTop);
    return Place(image * u.height * u.width, y, i32((pixel % u.columns) * u.strideX) - i32(u.padLeft));
  }

  // Four channels of what the window reads at (ky, kx); zeros where it reads past the image or the window has ended.
  fn gather(place: Place, ky: u32, kx: u32, quad: u32) -> vec4f {
    var y = place.y + i32(ky * u.dilationY);
    var x = place.x + i32(kx * u.dilationX);
    if (ky >= u.kernelHeight || y < 0 || x < 0) { return vec4f(); }
    if (u.spreadY * u.spreadX != 1u) {
      if (u32(y) % u.spreadY != 0u || u32(x) % u.spreadX != 0u) { return vec4f(); }
      y /= i32(u.spreadY);
      x /= i32(u.spreadX);
    }
    if (y >= i32(u.height) || x >= i32(u.width)) { return vec4f(); }
    return opened(input[(place.base + u32(y) * u.width + u32(x)) * u.quadsIn + quad]);
  }

  fn filterQuad(row: u32, quad: u32) -> vec4f {
    if (row >= 4u * u.kernelHeight * u.kernelWidth * u.quadsIn || quad >= u.quadsOut) { return vec4f(); }
    return opened(weights[row * u.quadsOut + quad]);
  }

  // sum + a · (b0, b1, b2, b3)
  fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
    return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
  }

  fn write(pixel: u32, quad: u32, sum: vec4f) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let value = sum + bias[quad] + opened(residual[pixel * u.residualStep + quad]);
    let bounded = clamp(select(value, max(value, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
    output[pixel * u.quadsOut + quad] = vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
  }

  @compute @workgroup_size(across, down)
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) own: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let index = group.x + group.y * groups.x;
    let strips = (u.quadsOut + 2u * across - 1u) / (2u * across);
    let firstQuad = (index % strips) * 2u * across;
    let firstPixel = index / strips * 8u * down;
    if (firstPixel >= u.pixels) { return; }
    let lanes = across * down;

    // This lane fills quad lane % 4 of the gathered pixels lane / 4, lane / 4 + lanes / 4, …: two or four of them.
    let place0 = placeOf(firstPixel + lane / 4u);
    let place1 = placeOf(firstPixel + lane / 4u + lanes / 4u);
    let place2 = placeOf(firstPixel + lane / 4u + lanes / 2u);
    let place3 = placeOf(firstPixel + lane / 4u + 3u * lanes / 4u);
    var quad = lane % 4u; // which of the window's quads come next, counted through window and channels
    var ky = quad / u.quadsIn / u.kernelWidth;
    var kx = quad / u.quadsIn % u.kernelWidth;
    quad = quad % u.quadsIn;
    // And quad lane % (2·across) of the rows lane / (2·across), … of the filters: two or four of them.
    let column = lane % (2u * across);
    let rowStep = lanes / (2u * across);
    var row = lane / (2u * across);

    var a0 = gather(place0, ky, kx, quad); var a1 = gather(place1, ky, kx, quad);
    var a2 = vec4f(); var a3 = vec4f();
    if (across == 8u) { a2 = gather(place2, ky, kx, quad); a3 = gather(place3, ky, kx, quad); }
    var b0 = filterQuad(row, firstQuad + column); var b1 = filterQuad(row + rowStep, firstQuad + column);
    var b2 = vec4f(); var b3 = vec4f();
    if (down == 8u) {
      b2 = filterQuad(row + 2u * rowStep, firstQuad + column);
      b3 = filterQuad(row + 3u * rowStep, firstQuad + column);
    }

    var s00 = vec4f(); var s01 = vec4f(); var s10 = vec4f(); var s11 = vec4f();
    var s20 = vec4f(); var s21 = vec4f(); var s30 = vec4f(); var s31 = vec4f();
    var s40 = vec4f(); var s41 = vec4f(); var s50 = vec4f(); var s51 = vec4f();
    var s60 = vec4f(); var s61 = vec4f(); var s70 = vec4f(); var s71 = vec4f();

    let slabs = (u.kernelHeight * u.kernelWidth * u.quadsIn + 3u) / 4u;
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // the slab before has been read
      gathered[lane] = a0;
      gathered[lane + lanes] = a1;
      if (across == 8u) { gathered[lane + 2u * lanes] = a2; gathered[lane + 3u * lanes] = a3; }
      filters[lane] = b0;
      filters[lane + lanes] = b1;
      if (down == 8u) { filters[lane + 2u * lanes] = b2; filters[lane + 3u * lanes] = b3; }
      workgroupBarrier(); // this slab is written
      if (slab + 1u < slabs) {
        // the next slab is on its way from memory while this one is multiplied
        quad += 4u;
        while (quad >= u.quadsIn) {
          quad -= u.quadsIn;
          kx++;
          if (kx == u.kernelWidth) { kx = 0u; ky++; }
        }
        row += 16u;
        a0 = gather(place0, ky, kx, quad); a1 = gather(place1, ky, kx, quad);
        if (across == 8u) { a2 = gather(place2, ky, kx, quad); a3 = gather(place3, ky, kx, quad); }
        b0 = filterQuad(row, firstQuad + column); b1 = filterQuad(row + rowStep, firstQuad + column);
        if (down == 8u) {
          b2 = filterQuad(row + 2u * rowStep, firstQuad + column);
          b3 = filterQuad(row + 3u * rowStep, firstQuad + column);
        }
      }
      for (var k = 0u; k < 4u; k++) {
        let left = k * 8u * across + own.x;
        let l0 = filters[left]; let l1 = filters[left + 2u * across];
        let l2 = filters[left + 4u * across]; let l3 = filters[left + 6u * across];
        let right = left + across;
        let r0 = filters[right]; let r1 = filters[right + 2u * across];
        let r2 = filters[right + 4u * across]; let r3 = filters[right + 6u * across];
        var a = gathered[own.y * 4u + k];
        s00 = added(s00, a, l0, l1, l2, l3); s01 = added(s01, a, r0, r1, r2, r3);
        a = gathered[(own.y + down) * 4u + k];
        s10 = added(s10, a, l0, l1, l2, l3); s11 = added(s11, a, r0, r1, r2, r3);
        a = gathered[(own.y + 2u * down) * 4u + k];
        s20 = added(s20, a, l0, l1, l2, l3); s21 = added(s21, a, r0, r1, r2, r3);
        a = gathered[(own.y + 3u * down) * 4u + k];
        s30 = added(s30, a, l0, l1, l2, l3); s31 = added(s31, a, r0, r1, r2, r3);
        a = gathered[(own.y + 4u * down) * 4u + k];
        s40 = added(s40, a, l0, l1, l2, l3); s41 = added(s41, a, r0, r1, r2, r3);
        a = gathered[(own.y + 5u * down) * 4u + k];
        s50 = added(s50, a, l0, l1, l2, l3); s51 = added(s51, a, r0, r1, r2, r3);
        a = gathered[(own.y + 6u * down) * 4u + k];
        s60 = added(s60, a, l0, l1, l2, l3); s61 = added(s61, a, r0, r1, r2, r3);
        a = gathered[(own.y + 7u * down) * 4u + k];
        s70 = added(s70, a, l0, l1, l2, l3); s71 = added(s71, a, r0, r1, r2, r3);
      }
    }

    let pixel = firstPixel + own.y;
    let quadLeft = firstQuad + own.x;
    let quadRight = quadLeft + across;
    write(pixel, quadLeft, s00); write(pixel, quadRight, s01);
    write(pixel + down, quadLeft, s10); write(pixel + down, quadRight, s11);
    write(pixel + 2u * down, quadLeft, s20); write(pixel + 2u * down, quadRight, s21);
    write(pixel + 3u * down, quadLeft, s30); write(pixel + 3u * down, quadRight, s31);
    write(pixel + 4u * down, quadLeft, s40); write(pixel + 4u * down, quadRight, s41);
    write(pixel + 5u * down, quadLeft, s50); write(pixel + 5u * down, quadRight, s51);
    write(pixel + 6u * down, quadLeft, s60); write(pixel + 6u * down, quadRight, s61);
    write(pixel + 7u * down, quadLeft, s70); write(pixel + 7u * down, quadRight, s71);
  }`;
