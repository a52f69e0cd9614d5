// Nowhere else do we speak Dawn's experimental WGSL.

/** Matrices that the subgroups of a device multiply: M×N sums from K products. */
export interface MatrixUnit {
  /** Of the factors; sums are f32. */
  readonly component: 'f16' | 'f32';
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** A tile of a product of matrices: what a subgroup computes, and how many subgroups a workgroup has. */
export interface MatrixTile {
  /** Pixels of a subgroup, a multiple of M. */
  readonly pixels: number;
  /** Channels of a subgroup, a multiple of N. */
  readonly channels: number;
  /** Subgroups of a workgroup along the channels. */
  readonly across: number;
  /** Subgroups of a workgroup along the pixels. */
  readonly down: number;
  /** Products that are brought into workgroup memory at a time, a multiple of K. */
  readonly deep: number;
  /** Numbers that an invocation brings at once. Channels that are read are a multiple of it. */
  readonly chunk: 4 | 8;
}

/** Of a workgroup's subgroups: how many invocations, and whether the device must be held to it. */
export interface SubgroupSize {
  readonly lanes: number;
  readonly held: boolean;
}

/** Numbers beside each row in workgroup memory, 16 bytes: rows begin in other banks, and at multiples of 16 as loads demand. */
function paddingOf({ component }: MatrixUnit): number {
  return component === 'f16' ? 8 : 4;
}

/** Of workgroup memory: gathered pixels and filters with their padding, and a matrix of sums for each subgroup. */
export function bytesOfMatrices(unit: MatrixUnit, { pixels, channels, across, down, deep }: MatrixTile): number {
  const rows = pixels * down + channels * across;
  const numbers = rows * (deep + paddingOf(unit));
  return numbers * (unit.component === 'f16' ? 2 : 4) + 4 * unit.M * unit.N * across * down;
}

/** Whether the invocations of a workgroup can share the work of bringing a slab evenly. */
export function sharesEvenly({ pixels, channels, across, down, deep, chunk }: MatrixTile, lanes: number): boolean {
  const all = lanes * across * down;
  const chunks = deep / chunk;
  return [all / chunks, (pixels * down * chunks) / all, (channels * across * chunks) / all].every(Number.isInteger);
}

/**
 * What the program says of matrices: their types, how they come from workgroup memory and go there, and what is added. Offsets and
 * strides are in quads.
 */
export function matrixTypes({ component, M, N, K }: MatrixUnit): string {
  const halves = component === 'f16';
  return /* wgsl */ `
  ${halves ? 'enable f16;' : ''}
  enable subgroups;
  enable chromium_experimental_subgroup_matrix;

  alias Number = ${component}; // in workgroup memory
  alias Left = subgroup_matrix_left<${component}, ${K}, ${M}>;
  alias Right = subgroup_matrix_right<${component}, ${N}, ${K}>;
  alias Sum = subgroup_matrix_result<f32, ${N}, ${M}>;

  fn opened(quad: vec2u) -> vec4<Number> {
    return ${halves ? 'bitcast<vec4<f16>>(quad)' : 'vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y))'};
  }
  fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&gathered, at, memoryRow); }
  fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&filters, at, memoryRow); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
  fn put(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&scratch, at, sum, ${N / 4}u); }
`;
}

/**
 * The program of a convolution by subgroup matrices: `conv2dLast`'s product of matrices, multiplied by subgroups in place of
 * invocations. Filters come in rows from `packFilterRowsHalf` and lie in workgroup memory as the pixels do: one after another, with
 * their numbers side by side.
 *
 * It is written out for its tile, every matrix a variable of its own: an array of matrices that is indexed by a loop does not stay in
 * registers (a third of the speed on an H100).
 *
 * @param types `matrixTypes` of the unit, or what stands in for it where there are no such matrices
 */
export function matrixProgram(
  unit: MatrixUnit,
  tile: MatrixTile,
  { lanes, held }: SubgroupSize,
  types = matrixTypes(unit),
): string {
  const { M, N, K } = unit;
  const { pixels, channels, across, down, deep, chunk } = tile;
  const all = lanes * across * down;
  const chunks = deep / chunk; // of a row in a slab
  const rowStep = all / chunks;
  const memoryRow = (deep + paddingOf(unit)) / 4;
  const quadsOfChunk = chunk / 4;
  const [tall, wide] = [pixels / M, channels / N]; // matrices of a subgroup
  const gathers = count((pixels * down) / rowStep);
  const fills = count((channels * across) / rowStep);
  const matrixQuads = (M * N) / 4;
  const pickUps = count(Math.ceil(matrixQuads / lanes));
  const Chunk = chunk === 8 ? 'vec4u' : 'vec2u';

  const load = lines([
    ...gathers.map((i) => `a${i} = gather(place${i}, ky, kx, chunk);`),
    ...fills.map((i) => `b${i} = filterChunk(row + ${i * rowStep}u, at);`),
  ]);
  const stored = (name: string, value: string, i: number) => {
    const place = `${name}[own + ${i * rowStep * memoryRow}u`;
    return chunk === 4
      ? [`${place}] = opened(${value}${i});`]
      : [`${place}] = opened(${value}${i}.xy);`, `${place} + 1u] = opened(${value}${i}.zw);`];
  };
  const store = lines([
    ...gathers.flatMap((i) => stored('gathered', 'a', i)),
    ...fills.flatMap((i) => stored('filters', 'b', i)),
  ]);
  const multiply = lines(
    count(deep / K).flatMap((k) => [
      '{',
      ...count(tall).map((i) => `let left${i} = leftAt(left + ${i * M * memoryRow + (k * K) / 4}u);`),
      ...count(wide).flatMap((j) => [
        `let right${j} = rightAt(right + ${j * N * memoryRow + (k * K) / 4}u);`,
        ...count(tall).map((i) => `s${i}${j} = added(s${i}${j}, left${i}, right${j});`),
      ]),
      '}',
    ]),
  );
  const isWhole = matrixQuads % lanes === 0;
  const matrices = count(tall).flatMap((i) => count(wide).map((j) => ({ i, j })));
  const places = ({ i, j }: { readonly i: number; readonly j: number }, p: number) => {
    const quadsAcross = N / 4;
    const element = p === 0 ? 'ownLane' : `(ownLane + ${p * lanes}u)`;
    return `ownPixel + ${i * M}u + ${element} / ${quadsAcross}u, ownQuad + ${(j * N) / 4}u + ${element} % ${quadsAcross}u`;
  };
  const guarded = (p: number, statement: string) =>
    isWhole ? statement : `if (ownLane + ${p * lanes}u < ${matrixQuads}u) { ${statement} }`;
  const leave = lines(
    matrices.flatMap((matrix, index) => [
      `put(mine, s${matrix.i}${matrix.j});`,
      'workgroupBarrier(); // the matrix is written',
      ...pickUps.map(
        (p) =>
          `let sum${index}${p} = scratch[min(mine + ownLane + ${p * lanes}u, ${across * down * matrixQuads - 1}u)];`,
      ),
      ...(index + 1 < matrices.length
        ? pickUps.map((p) => `let r${index + 1}${p} = residualAt(${places(matrices[index + 1], p)});`)
        : []),
      ...pickUps.map((p) => guarded(p, `write(${places(matrix, p)}, sum${index}${p}, r${index}${p});`)),
      ...(index + 1 < matrices.length ? ['workgroupBarrier(); // and read'] : []),
    ]),
  );

  return /* wgsl */ `${held ? sizeControl : ''}${types}
  const memoryRow = ${memoryRow}u; // quads of a pixel or a filter in a slab, and padding against bank conflicts

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
  @group(0) @binding(0) var<storage, read> input: array<${Chunk}>;       // N × height × width × chunks of ${chunk} halves
  @group(0) @binding(1) var<storage, read> weights: array<${Chunk}>;     // 4·quadsOut × (kernelHeight · kernelWidth · chunks)
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ${pixels * down * memoryRow}>; // pixels × ${deep} numbers of their windows
  var<workgroup> filters: array<vec4<Number>, ${channels * across * memoryRow}>; // filters × as many numbers
  var<workgroup> scratch: array<vec4f, ${across * down * matrixQuads}>; // a matrix of sums for each subgroup

  // Where the window of a pixel begins; y is far below 0 for pixels past the last.
  struct Place { base: u32, y: i32, x: i32 }

  fn placeOf(pixel: u32) -> Place {
    if (pixel >= u.pixels) { return Place(0u, -0x40000000, 0); }
    let row = (pixel / u.columns) % u.rows;
    let image = pixel / (u.columns * u.rows);
    let y = i32(row * u.strideY) - i32(u.padTop);
    return Place(image * u.height * u.width, y, i32((pixel % u.columns) * u.strideX) - i32(u.padLeft));
  }

  // ${chunk} halves of what the window reads at (ky, kx); zeros where it reads past the image or the window has ended.
  fn gather(place: Place, ky: u32, kx: u32, chunk: u32) -> ${Chunk} {
    let y = place.y + i32(ky * u.dilationY);
    let x = place.x + i32(kx * u.dilationX);
    let inside = ky < u.kernelHeight && y >= 0 && y < i32(u.height) && x >= 0 && x < i32(u.width);
    let at = (place.base + u32(y) * u.width + u32(x)) * (u.quadsIn / ${quadsOfChunk}u) + chunk;
    return select(${Chunk}(), input[select(0u, at, inside)], inside);
  }

  // ${chunk} halves of a filter, counted through window and channels.
  fn filterChunk(row: u32, at: u32) -> ${Chunk} {
    let length = u.kernelHeight * u.kernelWidth * (u.quadsIn / ${quadsOfChunk}u);
    let inside = row < 4u * u.quadsOut && at < length;
    return select(${Chunk}(), weights[select(0u, row * length + at, inside)], inside);
  }

  fn residualAt(pixel: u32, quad: u32) -> vec2u {
    let inside = pixel < u.pixels && quad < u.quadsOut;
    return residual[select(0u, pixel * u.residualStep + quad, inside)];
  }

  fn write(pixel: u32, quad: u32, sum: vec4f, more: vec2u) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let value = sum + bias[quad] + vec4f(unpack2x16float(more.x), unpack2x16float(more.y));
    let bounded = clamp(select(value, max(value, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
    output[pixel * u.quadsOut + quad] = vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
  }

  @compute @workgroup_size(${all})${held ? heldTo(lanes) : ''}
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) ownLane: u32,
  ) {
    let index = group.x + group.y * groups.x;
    let strips = (4u * u.quadsOut + ${channels * across - 1}u) / ${channels * across}u;
    let firstChannel = index % strips * ${channels * across}u;
    let firstPixel = index / strips * ${pixels * down}u;
    if (firstPixel >= u.pixels) { return; }

    // This lane fills chunk lane % ${chunks} of every ${rowStep}th of the gathered pixels and of the filters.
    ${lines(gathers.map((i) => `let place${i} = placeOf(firstPixel + lane / ${chunks}u + ${i * rowStep}u);`))}
    let row = firstChannel + lane / ${chunks}u;
    let own = lane / ${chunks}u * memoryRow + lane % ${chunks}u * ${quadsOfChunk}u;
    let chunksIn = u.quadsIn / ${quadsOfChunk}u;
    var at = lane % ${chunks}u; // which of the window's chunks come next, counted through window and channels
    var ky = at / chunksIn / u.kernelWidth;
    var kx = at / chunksIn % u.kernelWidth;
    var chunk = at % chunksIn;
    ${lines([...gathers.map((i) => `var a${i}: ${Chunk};`), ...fills.map((i) => `var b${i}: ${Chunk};`)])}
    ${load}

    let left = subgroup / ${across}u * ${pixels * memoryRow}u;
    let right = subgroup % ${across}u * ${channels * memoryRow}u;
    ${lines(matrices.map(({ i, j }) => `var s${i}${j}: Sum;`))}
    let slabs = (u.kernelHeight * u.kernelWidth * chunksIn + ${chunks - 1}u) / ${chunks}u;
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // the slab before has been read
      ${store}
      workgroupBarrier(); // this slab is written
      if (slab + 1u < slabs) {
        // the next slab is on its way from memory while this one is multiplied
        at += ${chunks}u;
        chunk += ${chunks}u;
        if (chunk >= chunksIn) {
          let places = chunk / chunksIn; // more than one where there are few channels
          chunk -= places * chunksIn;
          kx += places;
          if (kx >= u.kernelWidth) {
            ky += kx / u.kernelWidth;
            kx = kx % u.kernelWidth;
          }
        }
        ${load}
      }
      ${multiply}
    }

    // No invocation can look into a matrix, so each subgroup lays one after another down and picks up its quads. What is added to
    // the next is on its way meanwhile.
    let mine = subgroup * ${matrixQuads}u;
    let ownPixel = firstPixel + subgroup / ${across}u * ${pixels}u;
    let ownQuad = firstChannel / 4u + subgroup % ${across}u * ${channels / 4}u;
    ${lines(pickUps.map((p) => `let r0${p} = residualAt(${places(matrices[0], p)});`))}
    ${leave}
  }`;
}

/** Stands before `matrixTypes` where a device's subgroups have one size or another. */
export const sizeControl = /* wgsl */ `
  enable subgroup_size_control;`;

/** An attribute: subgroups have so many invocations, or there is no pipeline. */
export function heldTo(lanes: number): string {
  return ` @subgroup_size(${lanes})`;
}

function count(length: number): readonly number[] {
  return [...Array(length).keys()];
}

function lines(statements: readonly string[]): string {
  return statements.join('\n    ');
}
