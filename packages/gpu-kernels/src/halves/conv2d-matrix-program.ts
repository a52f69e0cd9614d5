import { advanceText, count, foundText, lines, placeText, uniformsText } from '../channels-last/conv2d-text.ts';
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
  const { pixels, channels, across, down, deep, stages, chunk, together } = tile;
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
  const stageOf = (slab: string, size: number) => (stages === 1 ? '' : `(${slab} & 1u) * ${size}u + `);
  const gatheredSize = pixels * down * memoryRow;
  const filtersSize = channels * across * memoryRow;
  const laidDown = (name: string, value: string, i: number, stage: string) => {
    const place = `${name}[${stage}own + ${i * rowStep * memoryRow}u`;
    return chunk === 4
      ? [`${place}] = opened(${value});`]
      : [`${place}] = opened(${value}.xy);`, `${place} + 1u] = opened(${value}.zw);`];
  };
  const store = (slab: string) =>
    lines([
      ...gathers.flatMap((i) => [
        `a${i} = select(${Chunk}(), a${i}, isA${i});`,
        ...laidDown('gathered', `a${i}`, i, stageOf(slab, gatheredSize)),
      ]),
      ...fills.flatMap((i) => laidDown('filters', `b${i}`, i, stageOf(slab, filtersSize))),
    ]);
  const multiply = lines([
    `let left = ${stageOf('slab', gatheredSize)}ownLeft;`,
    `let right = ${stageOf('slab', filtersSize)}ownRight;`,
    ...count(deep / K).flatMap((k) => [
      '{',
      ...count(tall).map((i) => `let left${i} = leftAt(left + ${i * M * memoryRow + (k * K) / 4}u);`),
      ...count(wide).flatMap((j) => [
        `let right${j} = rightAt(right + ${j * N * memoryRow + (k * K) / 4}u);`,
        ...count(tall).map((i) => `s${i}${j} = added(s${i}${j}, left${i}, right${j});`),
      ]),
      '}',
    ]),
  ]);
  const matrices = count(tall).flatMap((i) => count(wide).map((j) => ({ i, j })));

  // Matrices of sums side by side are laid down together and picked up in rows of quads, each invocation at the same of its quads.
  const groups = count(matrices.length / together).map((group) =>
    matrices.slice(group * together, (group + 1) * together),
  );
  const rowQuads = (together * N) / 4;
  const rowsAtOnce = lanes / rowQuads;
  const pickUps = count(Math.ceil(M / rowsAtOnce));
  const scratchRow = sumsRow(unit, tile);
  const ahead = Math.ceil(READ_AHEAD / pickUps.length);
  const places = (group: number, p: number) => {
    const [{ i, j }] = groups[group];
    return `ownPixel + ${i * M + p * rowsAtOnce}u, ownQuad + ${(j * N) / 4}u`;
  };
  const residuals = (group: number) =>
    group < groups.length ? pickUps.map((p) => `let r${group}_${p} = residualAt(${places(group, p)});`) : [];
  const isWhole = (p: number) => (p + 1) * rowsAtOnce <= M; // there are rows for all lanes
  const guarded = (p: number, statement: string) =>
    isWhole(p) ? statement : `if (ownRow + ${p * rowsAtOnce}u < ${M}u) { ${statement} }`;
  const sums = across * down * M * scratchRow;
  const placeOfSum = (p: number) => {
    const place = `mine + ${p * rowsAtOnce * scratchRow}u`;
    return isWhole(p) ? place : `min(${place}, ${sums - 1}u)`;
  };
  const leave = lines(
    groups.flatMap((group, index) => [
      ...group.map(({ i, j }, at) => `put(laid + ${(at * N) / 4}u, s${i}${j});`),
      'workgroupBarrier(); // the sums are written',
      ...pickUps.map((p) => `let sum${index}_${p} = scratch[${placeOfSum(p)}];`),
      ...residuals(index + ahead),
      ...pickUps.map((p) =>
        guarded(p, `write(${places(index, p)}, sum${index}_${p} + bias${group[0].j}, r${index}_${p});`),
      ),
      ...(index + 1 < groups.length ? ['workgroupBarrier(); // and read'] : []),
    ]),
  );

  // the next slab, zeros after the last, is on its way from memory while this one is multiplied
  const bringNext = `at += ${chunks}u;${advanceText('chunk', 'chunksIn', chunks)}
      ${load}`;
  const loop =
    stages === 1
      ? `for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // the slab before has been read
      ${store('slab')}
      workgroupBarrier(); // this slab is written
      ${bringNext}
      ${multiply}
    }`
      : `${store('0u')}
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // this slab is written, and the one before has been read
      ${bringNext}
      ${multiply}
      ${store('(slab + 1u)')}
    }`;

  return /* wgsl */ `${held ? sizeControl : ''}${types}
  const memoryRow = ${memoryRow}u; // quads of a pixel or a filter in a slab, and padding against bank conflicts
  const sumsRow = ${scratchRow}u; // quads of a row of sums, and one${uniformsText()}
  @group(0) @binding(0) var<storage, read> input: array<${Chunk}>;       // N × height × width × chunks of ${chunk} halves
  @group(0) @binding(1) var<storage, read> weights: array<${Chunk}>;     // 4·quadsOut × (kernelHeight · kernelWidth · chunks)
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<vec2u>;     // pixels × quadsOut, or quadsOut, halves
  @group(0) @binding(4) var<storage, read_write> output: array<vec2u>; // pixels × quadsOut, halves
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4<Number>, ${stages * gatheredSize}>; // ${stages} × pixels × ${deep} numbers of their windows
  var<workgroup> filters: array<vec4<Number>, ${stages * filtersSize}>; // ${stages} × filters × as many numbers
  var<workgroup> scratch: array<vec4f, ${sums}>; // of each subgroup
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

  fn residualAt(pixel: u32, quad: u32) -> vec2u {
    return residual[found(pixel * u.residualStep + quad, (pixel < u.pixels) & (quad < u.quadsOut)).at];
  }

  fn write(pixel: u32, quad: u32, sum: vec4f, more: vec2u) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let value = sum + vec4f(unpack2x16float(more.x), unpack2x16float(more.y));
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
    var f: Found;
    ${lines([
      ...gathers.map((i) => `var a${i}: ${Chunk}; var isA${i}: bool;`),
      ...fills.map((i) => `var b${i}: ${Chunk};`),
    ])}
    ${load}

    let ownLeft = subgroup / ${across}u * ${pixels * memoryRow}u;
    let ownRight = subgroup % ${across}u * ${channels * memoryRow}u;
    ${lines(matrices.map(({ i, j }) => `var s${i}${j}: Sum;`))}
    let slabs = (u.kernelHeight * u.kernelWidth * chunksIn + ${chunks - 1}u) / ${chunks}u;
    ${loop}

    // No invocation can look into a matrix, so each subgroup lays its matrices down and picks up quads. What is added to them is on
    // its way meanwhile.
    let laid = subgroup * ${M * scratchRow}u;
    let ownRow = ownLane / ${rowQuads}u;
    let mine = laid + ownRow * sumsRow + ownLane % ${rowQuads}u;
    let ownPixel = firstPixel + subgroup / ${across}u * ${pixels}u + ownRow;
    let ownQuad = firstChannel / 4u + subgroup % ${across}u * ${channels / 4}u + ownLane % ${rowQuads}u;
    ${lines(count(ahead).flatMap(residuals))}
    ${lines(groups.filter(([{ i }]) => i === 0).map(([{ j }]) => `let bias${j} = bias[min(ownQuad + ${(j * N) / 4}u, u.quadsOut - 1u)];`))}
    ${leave}
  }`;
}
