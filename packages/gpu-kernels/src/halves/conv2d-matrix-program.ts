import { advanceText, count, lines, placeText, uniformsText } from '../channels-last/conv2d-text.ts';
import {
  heldTo,
  type MatrixTile,
  type MatrixUnit,
  matrixTypes,
  paddingOf,
  type SubgroupSize,
  sizeControl,
} from './matrix-units.ts';

/**
 * The program of a convolution by subgroup matrices: `conv2dLast`'s product of matrices, multiplied by subgroups in place of
 * invocations. Filters come in rows from `packFilterRowsHalf` and lie in workgroup memory as the pixels do: one after another, with
 * their numbers side by side.
 *
 * It is written out for its tile, every matrix a variable of its own: an array of matrices that is indexed by a loop does not stay in
 * registers (decision 0010).
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
  const memoryRow = ${memoryRow}u; // quads of a pixel or a filter in a slab, and padding against bank conflicts${uniformsText()}
  @group(0) @binding(0) var<storage, read> input: array<${Chunk}>;       // N × height × width × chunks of ${chunk} halves
  @group(0) @binding(1) var<storage, read> weights: array<${Chunk}>;     // 4·quadsOut × (kernelHeight · kernelWidth · chunks)
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ${pixels * down * memoryRow}>; // pixels × ${deep} numbers of their windows
  var<workgroup> filters: array<vec4<Number>, ${channels * across * memoryRow}>; // filters × as many numbers
  var<workgroup> scratch: array<vec4f, ${across * down * matrixQuads}>; // a matrix of sums for each subgroup${placeText}

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
        at += ${chunks}u;${advanceText('chunk', 'chunksIn', chunks)}
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
