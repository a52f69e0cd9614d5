import { advanceText, count, foundText, lines, placeText, uniformsText } from '../channels-last/conv2d-text.ts';
import { diagonalText, residualText } from './conv2d-matrix-shortcut.ts';
import {
  heldTo,
  type MatrixTile,
  type MatrixUnit,
  matrixTypes,
  paddingOf,
  type SubgroupSize,
  sizeControl,
  sumsRow,
} from './matrix-units.ts';

/** Quads of the residual that an invocation has on their way at least: one at a time would wait for memory each time. */
const READ_AHEAD = 16;

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
  const { pixels, channels, across, down, deep, chunk, diagonal = false } = tile;
  const all = lanes * across * down;
  const chunks = deep / chunk; // of a row in a slab
  const rowStep = all / chunks;
  const memoryRow = (deep + paddingOf(unit)) / 4;
  const quadsOfChunk = chunk / 4;
  const [tall, wide] = [pixels / M, channels / N]; // matrices of a subgroup
  const gathers = count((pixels * down) / rowStep);
  const fills = count((channels * across) / rowStep);
  const Chunk = chunk === 8 ? 'vec4u' : 'vec2u';

  const load = lines([
    ...gathers.flatMap((i) => [`f = pixelChunk(place${i}, ky, kx, chunk);`, `a${i} = input[f.at]; isA${i} = f.there;`]),
    ...fills.map((i) => `b${i} = weights[filterChunk(row + ${i * rowStep}u, at)];`),
  ]);
  const laidDown = (name: string, value: string, i: number) => {
    const place = `${name}[own + ${i * rowStep * memoryRow}u`;
    return chunk === 4
      ? [`${place}] = opened(${value});`]
      : [`${place}] = opened(${value}.xy);`, `${place} + 1u] = opened(${value}.zw);`];
  };
  const store = lines([
    ...gathers.flatMap((i) => [`a${i} = select(${Chunk}(), a${i}, isA${i});`, ...laidDown('gathered', `a${i}`, i)]),
    ...fills.flatMap((i) => laidDown('filters', `b${i}`, i)),
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

  // A matrix of sums is laid down and picked up in rows of quads, by each invocation at the same of its quads.
  const matrices = count(tall).flatMap((i) => count(wide).map((j) => ({ i, j })));
  const rowQuads = N / 4;
  const rowsAtOnce = lanes / rowQuads;
  const pickUps = count(Math.ceil(M / rowsAtOnce));
  const scratchRow = sumsRow(unit);
  const scratchSize = across * down * M * scratchRow;
  const ahead = Math.ceil(READ_AHEAD / pickUps.length);
  const places = ({ i, j }: (typeof matrices)[number], p: number) =>
    `ownPixel + ${i * M + p * rowsAtOnce}u, ownQuad + ${j * rowQuads}u`;
  const residuals = (index: number) =>
    diagonal
      ? []
      : matrices
          .slice(index, index + 1)
          .flatMap((matrix) => pickUps.map((p) => `let r${index}_${p} = residualAt(${places(matrix, p)});`));
  const isWhole = (p: number) => (p + 1) * rowsAtOnce <= M; // there are rows for all lanes
  const guarded = (p: number, statement: string) =>
    isWhole(p) ? statement : `if (ownRow + ${p * rowsAtOnce}u < ${M}u) { ${statement} }`;
  const placeOfSum = (p: number) => {
    const place = `mine + ${p * rowsAtOnce * scratchRow}u`;
    return isWhole(p) ? place : `min(${place}, ${scratchSize - 1}u)`;
  };
  const leave = lines(
    matrices.flatMap((matrix, index) => [
      `put(laid, s${matrix.i}${matrix.j});`,
      'workgroupBarrier(); // the matrix is written',
      ...pickUps.map((p) => `let sum${index}_${p} = scratch[${placeOfSum(p)}];`),
      ...residuals(index + ahead),
      ...pickUps.map((p) =>
        guarded(
          p,
          `write(${places(matrix, p)}, sum${index}_${p} + bias${matrix.j}${diagonal ? '' : ` + numbersOf(r${index}_${p})`});`,
        ),
      ),
      ...(index + 1 < matrices.length ? ['workgroupBarrier(); // and read'] : []),
    ]),
  );

  // A shortcut is so many slabs more, whose filters are ones on a diagonal.
  const loadShortcut = lines([
    ...gathers.flatMap((i) => [
      `f = shortcutChunk(firstPixel + lane / ${chunks}u + ${i * rowStep}u, firstChannel / ${chunk}u + at);`,
      `a${i} = residual[f.at]; isA${i} = f.there;`,
    ]),
    ...fills.map((i) => `b${i} = ones(lane / ${chunks}u + ${i * rowStep}u - ${chunk}u * at);`),
  ]);
  const added = `
    at = lane % ${chunks}u; // which chunks of the shortcut's channels come next
    ${loadShortcut}
    let more = select(0u, ${(channels * across) / deep}u, u.residualStep != 0u);
    for (var slab = 0u; slab < more; slab++) {
      workgroupBarrier(); // the slab before has been read
      ${store}
      workgroupBarrier(); // this slab is written
      at += ${chunks}u;
      ${loadShortcut}
      ${multiply}
    }
`;

  return /* wgsl */ `${held ? sizeControl : ''}${types}
  const memoryRow = ${memoryRow}u; // quads of a pixel or a filter in a slab, and padding against bank conflicts
  const sumsRow = ${scratchRow}u; // quads of a row of a matrix of sums, and one${uniformsText()}
  @group(0) @binding(0) var<storage, read> input: array<${Chunk}>;       // N × height × width × chunks of ${chunk} halves
  @group(0) @binding(1) var<storage, read> weights: array<${Chunk}>;     // 4·quadsOut × (kernelHeight · kernelWidth · chunks)
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<${diagonal ? Chunk : 'vec2u'}>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ${pixels * down * memoryRow}>; // pixels × ${deep} numbers of their windows
  var<workgroup> filters: array<vec4<Number>, ${channels * across * memoryRow}>; // filters × as many numbers
  var<workgroup> scratch: array<vec4f, ${scratchSize}>; // a matrix of sums for each subgroup
${foundText}
${placeText}

  // ${chunk} halves of what the window reads at (ky, kx); not there past the image and after the window has ended.
  fn pixelChunk(place: Place, ky: u32, kx: u32, chunk: u32) -> Found {
    let y = place.y + i32(ky * u.dilationY);
    let x = place.x + i32(kx * u.dilationX);
    let there = (ky < u.kernelHeight) & (u32(y) < u.height) & (u32(x) < u.width); // below 0 is far above as u32
    return found((place.base + u32(y) * u.width + u32(x)) * (u.quadsIn / ${quadsOfChunk}u) + chunk, there);
  }

  // Where ${chunk} halves of a filter are, counted through window and channels. Past the last it is others: they are multiplied by zeros,
  // or their sums are not written.
  fn filterChunk(row: u32, at: u32) -> u32 {
    let length = u.kernelHeight * u.kernelWidth * (u.quadsIn / ${quadsOfChunk}u);
    return min(row * length + at, 4u * u.quadsOut * length - 1u);
  }

  fn numbersOf(quad: vec2u) -> vec4f {
    return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
  }
${diagonal ? diagonalText(chunk) : residualText}

  fn write(pixel: u32, quad: u32, sum: vec4f) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let bounded = clamp(select(sum, max(sum, vec4f()), u.relu == 1u), vec4f(-65504.0), vec4f(65504.0));
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
    var f: Found;
    ${lines([
      ...gathers.map((i) => `var a${i}: ${Chunk}; var isA${i}: bool;`),
      ...fills.map((i) => `var b${i}: ${Chunk};`),
    ])}
    ${load}

    let left = subgroup / ${across}u * ${pixels * memoryRow}u;
    let right = subgroup % ${across}u * ${channels * memoryRow}u;
    ${lines(matrices.map(({ i, j }) => `var s${i}${j}: Sum;`))}
    let slabs = (u.kernelHeight * u.kernelWidth * chunksIn + ${chunks - 1}u) / ${chunks}u;
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // the slab before has been read
      ${store}
      workgroupBarrier(); // this slab is written
      // the next slab, zeros after the last, is on its way from memory while this one is multiplied
      at += ${chunks}u;${advanceText('chunk', 'chunksIn', chunks)}
      ${load}
      ${multiply}
    }
${diagonal ? added : ''}
    // No invocation can look into a matrix, so each subgroup lays one after another down and picks up its quads. What is added to
    // them is on its way meanwhile.
    let laid = subgroup * ${M * scratchRow}u;
    let ownRow = ownLane / ${rowQuads}u;
    let mine = laid + ownRow * sumsRow + ownLane % ${rowQuads}u;
    let ownPixel = firstPixel + subgroup / ${across}u * ${pixels}u + ownRow;
    let ownQuad = firstChannel / 4u + subgroup % ${across}u * ${channels / 4}u + ownLane % ${rowQuads}u;
    ${lines(count(ahead).flatMap(residuals))}
    ${lines(
      count(wide).map((j) => {
        const quad = `min(ownQuad + ${j * rowQuads}u, u.quadsOut - 1u)`;
        return `let bias${j} = bias[${quad}]${diagonal ? ` + rowAt(${quad})` : ''};`;
      }),
    )}
    ${leave}
  }`;
}
