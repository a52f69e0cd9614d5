import { advanceText, count, foundText, lines, placeText, uniformsText } from './conv2d-text.ts';

/** A tile of a product of matrices: what a workgroup computes, and what each invocation of it. */
export interface Tiling {
  /** Of a workgroup, a multiple of `rows`. */
  readonly pixels: number;
  /** Of a workgroup, a multiple of 4·`quads`. */
  readonly channels: number;
  /** Pixels of an invocation. */
  readonly rows: number;
  /** Quads of channels of an invocation. */
  readonly quads: number;
  /** Products that are brought into workgroup memory at a time, a multiple of four. */
  readonly deep: number;
  /** Slabs in workgroup memory: with two, the next is written while the present one is read, and one barrier is saved. */
  readonly stages: 1 | 2;
}

/** Pixels × channels of a workgroup. All have 128 invocations and at most 12 KiB of workgroup memory. */
export const tilings = {
  '64×64': { pixels: 64, channels: 64, rows: 4, quads: 2, deep: 16, stages: 1 },
  '64×128': { pixels: 64, channels: 128, rows: 8, quads: 2, deep: 16, stages: 1 },
  '128×64': { pixels: 128, channels: 64, rows: 8, quads: 2, deep: 8, stages: 2 },
} as const satisfies { readonly [name: string]: Tiling };

export type TileName = keyof typeof tilings;

/** What a device must have for a tile. */
export function needsOfTile(name: TileName): { readonly invocations: number; readonly bytes: number } {
  const { pixels, channels, rows, quads, deep, stages }: Tiling = tilings[name];
  return { invocations: (pixels / rows) * (channels / 4 / quads), bytes: 4 * stages * deep * (pixels + channels) };
}

/** How numbers lie in memory and what opens and closes four of them; in workgroup memory and sums all are float32. */
const memories = {
  f32: { quad: 'vec4f', opened: (quad: string) => quad, closed: 'value' },
  f16: {
    quad: 'vec2u', // four halves
    opened: (quad: string) => `opened(${quad})`,
    closed: 'vec2u(pack2x16float(bounded.xy), pack2x16float(bounded.zw))',
  },
} as const;

/**
 * The program of `conv2dLast` in a tile, and that of `conv2dHalf`, which needs no feature: packing and unpacking halves is part of WGSL.
 *
 * It is written out for its tile, every sum a variable of its own and every place in workgroup memory a constant beside one of the
 * invocation's: compilers keep such sums in registers, which they do not always where an array is indexed by a loop.
 *
 * Invocations that stand side by side read the same gathered pixels and neighbouring quads of the filters, and write neighbouring
 * quads.
 */
export function tileProgram(tiling: Tiling, memory: keyof typeof memories): string {
  const { pixels, channels, rows, quads, deep, stages } = tiling;
  const { quad: Quad, opened, closed } = memories[memory];
  const across = channels / 4 / quads;
  const down = pixels / rows;
  const lanes = across * down;
  const slabQuads = deep / 4; // of a pixel in a slab
  const rowQuads = channels / 4; // of a row of filters
  const gathers = count((pixels * slabQuads) / lanes);
  const fills = count((deep * rowQuads) / lanes);
  const pixelStep = lanes / slabQuads;
  const rowStep = lanes / rowQuads;
  const stageOf = (slab: string, size: number) => (stages === 1 ? '' : `(${slab} & 1u) * ${size}u + `);
  const gatheredSize = pixels * slabQuads;
  const filtersSize = deep * rowQuads;

  const load = lines([
    ...gathers.flatMap((i) => [`f = pixelQuad(place${i}, ky, kx, quad);`, `a${i} = input[f.at]; isA${i} = f.there;`]),
    ...fills.flatMap((i) => [
      `f = filterQuad(row + ${i * rowStep}u, firstQuad + column);`,
      `b${i} = weights[f.at]; isB${i} = f.there;`,
    ]),
  ]);
  const advance = `${advanceText('quad', 'u.quadsIn', slabQuads)}
        row += ${deep}u;`;
  const orZeros = (value: 'a' | 'b', i: number) =>
    `select(vec4f(), ${opened(`${value}${i}`)}, is${value.toUpperCase()}${i})`;
  const store = (slab: string) =>
    lines([
      ...gathers.map((i) => `gathered[${stageOf(slab, gatheredSize)}lane + ${i * lanes}u] = ${orZeros('a', i)};`),
      ...fills.map((i) => `filters[${stageOf(slab, filtersSize)}lane + ${i * lanes}u] = ${orZeros('b', i)};`),
    ]);
  const multiply = lines([
    `let left = ${stageOf('slab', gatheredSize)}own.y * ${slabQuads}u;`,
    `let right = ${stageOf('slab', filtersSize)}own.x;`,
    ...count(slabQuads).flatMap((k) => [
      '{',
      ...count(quads).flatMap((q) =>
        count(4).map((c) => `let f${q}${c} = filters[right + ${(4 * k + c) * rowQuads + q * across}u];`),
      ),
      'var a: vec4f;',
      ...count(rows).flatMap((r) => [
        `a = gathered[left + ${r * down * slabQuads + k}u];`,
        ...count(quads).map((q) => `s${r}${q} = added(s${r}${q}, a, f${q}0, f${q}1, f${q}2, f${q}3);`),
      ]),
      '}',
    ]),
  ]);
  const placeAt = (r: number, q: number) => `firstPixel + own.y + ${r * down}u, firstQuad + own.x + ${q * across}u`;
  const residuals = (r: number) => count(quads).map((q) => `let m${r}${q} = residualAt(${placeAt(r, q)});`);
  const leave = lines([
    ...residuals(0),
    ...count(rows).flatMap((r) => [
      ...(r + 1 < rows ? residuals(r + 1) : []),
      ...count(quads).map((q) => `write(${placeAt(r, q)}, s${r}${q} + bias${q}, m${r}${q});`),
    ]),
  ]);
  const loop =
    stages === 1
      ? `
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // the slab before has been read
      ${store('slab')}
      workgroupBarrier(); // this slab is written
      // the next slab, zeros after the last, is on its way from memory while this one is multiplied${advance}
      ${load}
      ${multiply}
    }`
      : `
    ${store('0u')}
    for (var slab = 0u; slab < slabs; slab++) {
      workgroupBarrier(); // this slab is written, and the one before has been read
      // the next slab, zeros after the last, is on its way from memory while this one is multiplied${advance}
      ${load}
      ${multiply}
      ${store('(slab + 1u)')}
    }`;

  return /* wgsl */ `${uniformsText()}
  @group(0) @binding(0) var<storage, read> input: array<${Quad}>;        // N × height × width × quadsIn
  @group(0) @binding(1) var<storage, read> weights: array<${Quad}>;      // (kernelHeight · kernelWidth · 4·quadsIn) × quadsOut
  @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
  @group(0) @binding(3) var<storage, read> residual: array<${Quad}>;     // pixels × quadsOut, or quadsOut
  @group(0) @binding(4) var<storage, read_write> output: array<${Quad}>; // pixels × quadsOut
  @group(0) @binding(5) var<uniform> u: Uniforms;

  var<workgroup> gathered: array<vec4f, ${stages * gatheredSize}>; // ${stages} × ${pixels} pixels × ${slabQuads} quads
  var<workgroup> filters: array<vec4f, ${stages * filtersSize}>; // ${stages} × ${deep} rows × ${rowQuads} quads
${memory === 'f16' ? OPENED : ''}${foundText}
${placeText}

  // Four channels of what the window reads at (ky, kx); not there past the image and after the window has ended.
  fn pixelQuad(place: Place, ky: u32, kx: u32, quad: u32) -> Found {
    var y = place.y + i32(ky * u.dilationY);
    var x = place.x + i32(kx * u.dilationX);
    var there = (ky < u.kernelHeight) & (y >= 0) & (x >= 0);
    if (u.spreadY * u.spreadX != 1u) {
      there &= (u32(y) % u.spreadY == 0u) & (u32(x) % u.spreadX == 0u);
      y /= i32(u.spreadY);
      x /= i32(u.spreadX);
    }
    there &= (y < i32(u.height)) & (x < i32(u.width));
    return found((place.base + u32(y) * u.width + u32(x)) * u.quadsIn + quad, there);
  }

  fn filterQuad(row: u32, quad: u32) -> Found {
    let there = (row < 4u * u.kernelHeight * u.kernelWidth * u.quadsIn) & (quad < u.quadsOut);
    return found(row * u.quadsOut + quad, there);
  }

  // sum + a · (b0, b1, b2, b3)
  fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
    return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
  }

  fn residualAt(pixel: u32, quad: u32) -> ${Quad} {
    return residual[found(pixel * u.residualStep + quad, (pixel < u.pixels) & (quad < u.quadsOut)).at];
  }

  fn write(pixel: u32, quad: u32, sum: vec4f, more: ${Quad}) {
    if (pixel >= u.pixels || quad >= u.quadsOut) { return; }
    let all = sum + ${opened('more')};
    let value = select(all, max(all, vec4f()), u.relu == 1u);${memory === 'f16' ? BOUNDED : ''}
    output[pixel * u.quadsOut + quad] = ${closed};
  }

  @compute @workgroup_size(${across}, ${down})
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) own: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let index = group.x + group.y * groups.x;
    let strips = (u.quadsOut + ${rowQuads - 1}u) / ${rowQuads}u;
    let firstQuad = (index % strips) * ${rowQuads}u;
    let firstPixel = index / strips * ${pixels}u;
    if (firstPixel >= u.pixels) { return; }

    // This lane fills quad lane % ${slabQuads} of every ${pixelStep}th of the gathered pixels, and of every ${rowStep}th row of the filters quad
    // lane % ${rowQuads}.
    ${lines(gathers.map((i) => `let place${i} = placeOf(firstPixel + lane / ${slabQuads}u + ${i * pixelStep}u);`))}
    var quad = lane % ${slabQuads}u; // which of the window's quads come next, counted through window and channels
    var ky = quad / u.quadsIn / u.kernelWidth;
    var kx = quad / u.quadsIn % u.kernelWidth;
    quad = quad % u.quadsIn;
    let column = lane % ${rowQuads}u;
    var row = lane / ${rowQuads}u;
    var f: Found;
    ${lines([
      ...gathers.map((i) => `var a${i}: ${Quad}; var isA${i}: bool;`),
      ...fills.map((i) => `var b${i}: ${Quad}; var isB${i}: bool;`),
    ])}
    ${load}
    ${lines(count(rows).flatMap((r) => count(quads).map((q) => `var s${r}${q} = vec4f();`)))}

    let slabs = (u.kernelHeight * u.kernelWidth * u.quadsIn + ${slabQuads - 1}u) / ${slabQuads}u;${loop}

    // What is added to the next row is on its way while one is written.
    ${lines(count(quads).map((q) => `let bias${q} = bias[min(firstQuad + own.x + ${q * across}u, u.quadsOut - 1u)];`))}
    ${leave}
  }`;
}

const OPENED = `
  // Four halves as numbers.
  fn opened(quad: vec2u) -> vec4f {
    return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y));
  }
`;

const BOUNDED = `
    let bounded = clamp(value, vec4f(-65504.0), vec4f(65504.0));`;
