// The program of `conv2dMatrix` in parts: a unit, which names a shape of matrices that subgroups multiply, and what is the same for
// all shapes, with or without holding the device to a size of subgroups. Nowhere else do we speak Dawn's experimental WGSL. A part
// alone is no program: `enable` stands in front.

/** 16×16 sums of f32 from sixteen products of halves: NVIDIA since Volta, AMD since RDNA 3. */
export const sixteenUnit = /* wgsl */ `
  enable f16;
  enable subgroups;
  enable chromium_experimental_subgroup_matrix;

  alias Number = f16;                                                  // in workgroup memory
  const tall = 16u;                                                    // a matrix of sums: pixels, channels,
  const wide = 16u;
  const deep = 16u;                                                    // and how many products it adds at a time
  const ownPixels = 32u;                                               // what a subgroup computes
  const ownChannels = 64u;
  alias Left = subgroup_matrix_left<f16, 16, 16>;
  alias Right = subgroup_matrix_right<f16, 16, 16>;
  alias Sum = subgroup_matrix_result<f32, 16, 16>;

  fn opened(quad: vec2u) -> vec4<Number> { return bitcast<vec4<f16>>(quad); }
  fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&gathered, at, gatheredRow); }
  fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&filters, at, filtersRow); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
  fn put(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&scratch, at, sum, wide / 4u); }
`;

/** 8×16 sums of f32 from sixteen products of halves: Intel. */
export const eightBySixteenUnit = /* wgsl */ `
  enable f16;
  enable subgroups;
  enable chromium_experimental_subgroup_matrix;

  alias Number = f16;                                                  // in workgroup memory
  const tall = 8u;                                                     // a matrix of sums: pixels, channels,
  const wide = 16u;
  const deep = 16u;                                                    // and how many products it adds at a time
  const ownPixels = 32u;                                               // what a subgroup computes
  const ownChannels = 32u;
  alias Left = subgroup_matrix_left<f16, 16, 8>;
  alias Right = subgroup_matrix_right<f16, 16, 16>;
  alias Sum = subgroup_matrix_result<f32, 16, 8>;

  fn opened(quad: vec2u) -> vec4<Number> { return bitcast<vec4<f16>>(quad); }
  fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&gathered, at, gatheredRow); }
  fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&filters, at, filtersRow); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
  fn put(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&scratch, at, sum, wide / 4u); }
`;

/** 8×8 sums from eight products, all float32: Apple since M1. Halves are opened on their way into workgroup memory. */
export const eightUnit = /* wgsl */ `
  enable subgroups;
  enable chromium_experimental_subgroup_matrix;

  alias Number = f32;                                                  // in workgroup memory
  const tall = 8u;                                                     // a matrix of sums: pixels, channels,
  const wide = 8u;
  const deep = 8u;                                                     // and how many products it adds at a time
  const ownPixels = 32u;                                               // what a subgroup computes
  const ownChannels = 32u;
  alias Left = subgroup_matrix_left<f32, 8, 8>;
  alias Right = subgroup_matrix_right<f32, 8, 8>;
  alias Sum = subgroup_matrix_result<f32, 8, 8>;

  fn opened(quad: vec2u) -> vec4<Number> { return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y)); }
  fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&gathered, at, gatheredRow); }
  fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&filters, at, filtersRow); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
  fn put(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&scratch, at, sum, wide / 4u); }
`;

/** What follows a unit: `conv2dLast`'s product of matrices, multiplied by subgroups instead of invocations. */
export const matrixBody = /* wgsl */ `
  override lanes: u32 = 32u;                                           // invocations of a subgroup
  override across: u32 = 1u;                                           // subgroups of a workgroup along the channels
  override down: u32 = 2u;                                             // and along the pixels

  const gatheredRow = 10u;                                             // 32 numbers in quads, and two against bank conflicts;
  override filtersRow: u32 = ownChannels / 4u * across + 2u;           // rows begin at multiples of 16 bytes, as loads demand
  const rowsOfSums = ownPixels / tall;
  const columnsOfSums = ownChannels / wide;

  struct Uniforms {
    pixels: u32,                                                       // N × rows × columns
    height: u32, width: u32, quadsIn: u32,
    rows: u32, columns: u32, quadsOut: u32,
    kernelHeight: u32, kernelWidth: u32,
    strideY: u32, strideX: u32,
    padTop: u32, padLeft: u32,
    dilationY: u32, dilationX: u32,
    spreadY: u32, spreadX: u32,                                        // 1, 1
    residualStep: u32,                                                 // quadsOut, or 0 for one row added everywhere
    relu: u32,                                                         // 1: negative results become 0
  }
  @group(0) @binding(0) var<storage, read> input: array<vec2u>;        // N × height × width × quadsIn, halves
  @group(0) @binding(1) var<storage, read> weights: array<vec2u>;      // (kernelHeight · kernelWidth · 4·quadsIn) × quadsOut, halves
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ownPixels * down * gatheredRow>; // pixels × 32 numbers of their windows
  var<workgroup> filters: array<vec4<Number>, 32u * filtersRow>;                // as many rows × channels
  var<workgroup> scratch: array<vec4f, tall * wide / 4u * across * down>;       // a matrix of sums for each subgroup

  // Where the window of a pixel begins; y is far below 0 for pixels past the last.
  struct Place { base: u32, y: i32, x: i32 }

  fn placeOf(pixel: u32) -> Place {
    if (pixel >= u.pixels) { return Place(0u, -0x40000000, 0); }
    let row = (pixel / u.columns) % u.rows;
    let image = pixel / (u.columns * u.rows);
    let y = i32(row * u.strideY) - i32(u.padTop);
    return Place(image * u.height * u.width, y, i32((pixel % u.columns) * u.strideX) - i32(u.padLeft));
  }

  // Four halves of what the window reads at (ky, kx); zeros where it reads past the image or the window has ended.
  fn gather(place: Place, ky: u32, kx: u32, quad: u32) -> vec2u {
    let y = place.y + i32(ky * u.dilationY);
    let x = place.x + i32(kx * u.dilationX);
    let inside = ky < u.kernelHeight && y >= 0 && y < i32(u.height) && x >= 0 && x < i32(u.width);
    let at = (place.base + u32(y) * u.width + u32(x)) * u.quadsIn + quad;
    return select(vec2u(), input[select(0u, at, inside)], inside);
  }

  fn filterQuad(row: u32, quad: u32) -> vec2u {
    let inside = row < 4u * u.kernelHeight * u.kernelWidth * u.quadsIn && quad < u.quadsOut;
    return select(vec2u(), weights[select(0u, row * u.quadsOut + quad, inside)], inside);
  }

  fn halvesAt(quad: vec2u) -> vec4f {
    return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
  }

  fn write(pixel: u32, quad: u32, sum: vec4f) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let value = sum + bias[quad] + halvesAt(residual[pixel * u.residualStep + quad]);
    let bounded = clamp(select(value, max(value, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
    output[pixel * u.quadsOut + quad] = vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
  }

`;

/** Stands before a unit, and `heldToSize` before `matrixMain`, where a device's subgroups have one size or another. */
export const sizeControl = /* wgsl */ `
  enable subgroup_size_control;`;

/** An attribute: subgroups have `lanes` invocations, or there is no pipeline. */
export const heldToSize = /* wgsl */ `
  @subgroup_size(lanes)`;

/** Follows `matrixBody`. */
export const matrixMain = /* wgsl */ `
  @compute @workgroup_size(lanes * across * down)
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) own: u32,
    @builtin(subgroup_invocation_id) ownLane: u32,
  ) {
    let index = group.x + group.y * groups.x;
    let quadsOfGroup = ownChannels / 4u * across;
    let strips = (u.quadsOut + quadsOfGroup - 1u) / quadsOfGroup;
    let firstQuad = index % strips * quadsOfGroup;
    let firstPixel = index / strips * (ownPixels * down);
    if (firstPixel >= u.pixels) { return; }
    let ownRow = own / across * ownPixels;
    let ownColumn = own % across * ownChannels;

    // This lane fills quad lane % 8 of pixels lane / 8, lane / 8 + all / 8, …, and as many quads of the filters; at most eight.
    let all = lanes * across * down;
    let gathers = 8u * ownPixels * down / all;
    let fills = 32u * quadsOfGroup / all;
    var places: array<Place, 8>;
    for (var i = 0u; i < gathers; i++) { places[i] = placeOf(firstPixel + (lane + i * all) / 8u); }
    var quad = lane % 8u; // which of the window's quads come next, counted through window and channels
    var ky = quad / u.quadsIn / u.kernelWidth;
    var kx = quad / u.quadsIn % u.kernelWidth;
    quad = quad % u.quadsIn;

    var sums: array<Sum, rowsOfSums * columnsOfSums>;
    let slabs = (u.kernelHeight * u.kernelWidth * u.quadsIn + 7u) / 8u;
    for (var slab = 0u; slab <= slabs; slab++) {
      // the next slab is on its way from memory while the one before is multiplied
      var a: array<vec2u, 8>;
      var b: array<vec2u, 8>;
      if (slab < slabs) {
        for (var i = 0u; i < gathers; i++) { a[i] = gather(places[i], ky, kx, quad); }
        for (var i = 0u; i < fills; i++) {
          let element = lane + i * all;
          b[i] = filterQuad(32u * slab + element / quadsOfGroup, firstQuad + element % quadsOfGroup);
        }
      }
      quad += 8u;
      while (quad >= u.quadsIn) {
        quad -= u.quadsIn;
        kx++;
        if (kx == u.kernelWidth) { kx = 0u; ky++; }
      }
      if (slab > 0u) {
        for (var k = 0u; k < 32u; k += deep) {
          var left: array<Left, rowsOfSums>;
          for (var i = 0u; i < rowsOfSums; i++) { left[i] = leftAt((ownRow + i * tall) * gatheredRow + k / 4u); }
          for (var j = 0u; j < columnsOfSums; j++) {
            let right = rightAt(k * filtersRow + (ownColumn + j * wide) / 4u);
            for (var i = 0u; i < rowsOfSums; i++) {
              sums[i * columnsOfSums + j] = added(sums[i * columnsOfSums + j], left[i], right);
            }
          }
        }
      }
      if (slab == slabs) { break; }
      workgroupBarrier(); // the slab before has been read
      for (var i = 0u; i < gathers; i++) {
        let element = lane + i * all;
        gathered[element / 8u * gatheredRow + element % 8u] = opened(a[i]);
      }
      for (var i = 0u; i < fills; i++) {
        let element = lane + i * all;
        filters[element / quadsOfGroup * filtersRow + element % quadsOfGroup] = opened(b[i]);
      }
      workgroupBarrier(); // this slab is written
    }

    // No invocation can look into a matrix, so each subgroup lays one after another down and picks up its quads.
    for (var at = 0u; at < rowsOfSums * columnsOfSums; at++) {
      put(own * (tall * wide / 4u), sums[at]);
      workgroupBarrier(); // the matrix is written
      for (var i = ownLane; i < tall * wide / 4u; i += lanes) {
        let pixel = firstPixel + ownRow + at / columnsOfSums * tall + i / (wide / 4u);
        let quadOut = firstQuad + (ownColumn + at % columnsOfSums * wide) / 4u + i % (wide / 4u);
        write(pixel, quadOut, scratch[own * (tall * wide / 4u) + i]);
      }
      workgroupBarrier(); // and read
    }
  }`;
