import { ShapeError } from '../errors.ts';
import type { Kernel, Plan } from '../kernel.ts';
import { show } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import {
  type Conv2dLast,
  type Conv2dLastInput,
  type Conv2dLastOptions,
  type Conv2dLastUniform,
  conv2dLastUniforms,
  planConv2dLast,
  rowsOfConv2dLast,
} from './conv2d-last-plan.ts';
import { traceConv2dLast } from './conv2d-last-trace.ts';
import { uniformsText } from './conv2d-text.ts';

/** A convolution whose channels and filters are cut into groups that do not mix; there is none for the way back. */
export interface GroupedOptions extends Omit<Conv2dLastOptions, 'back'> {
  readonly groups: number;
}

export type GroupedUniform = Conv2dLastUniform | 'groupQuads';

/** As those of `conv2dLast`, and the quads that a group reads. */
export const groupedUniforms = { ...conv2dLastUniforms, groupQuads: 'u32' } as const;

/** The field of `groupedUniforms` beside a convolution's. */
export const groupQuadsText = '\n    groupQuads: u32,  // of quadsIn, in each group';

/**
 * A convolution in groups with channels last, plus bias and a shortcut, then ReLU if asked.
 *
 *     input N×H×W×I, weights (h·w·I/groups)×O from `packFilters`, bias O, residual N×rows×columns×O or O  →  N×rows×columns×O
 *
 * I and O are real channels: every group has whole quads of both, so that none is padded. Each invocation computes four pixels
 * of a quad, without barriers: groups are narrow, and tiles would be mostly empty.
 *
 * @throws ShapeError when the tensors do not fit each other, no window fits or a group has no whole quads
 */
export const groupedLast: Kernel<Conv2dLastInput, GroupedUniform, GroupedOptions> = {
  name: 'groupedLast',
  inputs: ['input', 'weights', 'bias', 'residual'],
  uniforms: groupedUniforms,
  plan: (shapes, options) => planGrouped('groupedLast', shapes, options),
  rows: rowsOfConv2dLast,
  reference: referenceGrouped,
  wgsl: /* wgsl */ `${uniformsText(groupQuadsText)}
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;        // N × height × width × quadsIn
    @group(0) @binding(1) var<storage, read> weights: array<vec4f>;      // (kernelHeight · kernelWidth · 4·groupQuads) × quadsOut
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // quadsOut
    @group(0) @binding(3) var<storage, read> residual: array<vec4f>;     // pixels × quadsOut, or quadsOut
    @group(0) @binding(4) var<storage, read_write> output: array<vec4f>; // pixels × quadsOut
    @group(0) @binding(5) var<uniform> u: Uniforms;

    // First quad of the pixel that the window of an output pixel reads at (ky, kx), or -1 where it reads none.
    fn positionAt(pixel: u32, ky: u32, kx: u32) -> i32 {
      let y = i32((pixel / u.columns) % u.rows * u.strideY + ky * u.dilationY) - i32(u.padTop);
      let x = i32(pixel % u.columns * u.strideX + kx * u.dilationX) - i32(u.padLeft);
      if (pixel >= u.pixels || y < 0 || x < 0 || y >= i32(u.height) || x >= i32(u.width)) { return -1; }
      let image = pixel / (u.columns * u.rows);
      return i32(((image * u.height + u32(y)) * u.width + u32(x)) * u.quadsIn);
    }

    fn quadAt(position: i32, quad: u32) -> vec4f {
      if (position < 0) { return vec4f(); }
      return input[u32(position) + quad];
    }

    // sum + a · (b0, b1, b2, b3)
    fn added(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
      return fma(a.wwww, b3, fma(a.zzzz, b2, fma(a.yyyy, b1, fma(a.xxxx, b0, sum))));
    }

    fn write(pixel: u32, quad: u32, sum: vec4f) {
      if (pixel >= u.pixels) { return; }
      let value = sum + bias[quad] + residual[pixel * u.residualStep + quad];
      output[pixel * u.quadsOut + quad] = select(value, max(value, vec4f()), u.relu == 1u);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.quadsOut * ((u.pixels + 3u) / 4u)) { return; }
      let quad = index % u.quadsOut;
      let pixel = index / u.quadsOut * 4u;
      let first = quad / (u.quadsOut * u.groupQuads / u.quadsIn) * u.groupQuads; // of the quads that the group reads
      var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
      var row = quad;
      for (var ky = 0u; ky < u.kernelHeight; ky++) {
        for (var kx = 0u; kx < u.kernelWidth; kx++) {
          let at0 = positionAt(pixel, ky, kx); let at1 = positionAt(pixel + 1u, ky, kx);
          let at2 = positionAt(pixel + 2u, ky, kx); let at3 = positionAt(pixel + 3u, ky, kx);
          for (var read = first; read < first + u.groupQuads; read++) {
            let b0 = weights[row]; let b1 = weights[row + u.quadsOut];
            let b2 = weights[row + 2u * u.quadsOut]; let b3 = weights[row + 3u * u.quadsOut];
            row += 4u * u.quadsOut;
            s0 = added(s0, quadAt(at0, read), b0, b1, b2, b3);
            s1 = added(s1, quadAt(at1, read), b0, b1, b2, b3);
            s2 = added(s2, quadAt(at2, read), b0, b1, b2, b3);
            s3 = added(s3, quadAt(at3, read), b0, b1, b2, b3);
          }
        }
      }
      write(pixel, quad, s0); write(pixel + 1u, quad, s1);
      write(pixel + 2u, quad, s2); write(pixel + 3u, quad, s3);
    }`,
  onnx: (trace, call) => traceConv2dLast(trace, call, call.options.groups),
  samples: (random) => [
    [
      {
        input: uniformTensor(random, [2, 7, 6, 16]),
        weights: uniformTensor(random, [72, 24]),
        bias: uniformTensor(random, [24]),
        residual: uniformTensor(random, [2, 4, 3, 24]),
      },
      { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 2, relu: true },
    ],
    [
      {
        input: uniformTensor(random, [3, 5, 7, 12]),
        weights: uniformTensor(random, [8, 12]),
        bias: uniformTensor(random, [12]),
        residual: uniformTensor(random, [12]),
      },
      { kernel: [1, 2], strides: [1, 1], pads: [0, 1, 0, 0], dilations: [1, 3], groups: 3 },
    ],
  ],
};

/** Fits the tensors to each other, as float32. @throws ShapeError when they do not */
export function planGrouped(
  where: string,
  shapes: Parameters<Conv2dLast['plan']>[0],
  options: GroupedOptions,
): Plan<GroupedUniform> {
  const { groups, kernel } = options;
  const [read, written] = [shapes.input[3] / 4 / groups, shapes.weights[1] / 4 / groups];
  if (!Number.isInteger(read) || !Number.isInteger(written)) {
    const wanted = `channels and filters that are multiples of 4 in each of ${groups} groups`;
    throw new ShapeError(where, wanted, `${show(shapes.input)} and ${show(shapes.weights)}`);
  }
  const plan = planConv2dLast(where, shapes, options, {
    workgroups: ({ pixels, quadsOut }) => Math.ceil((Math.ceil(pixels / 4) * quadsOut) / 64),
    depth: kernel[0] * kernel[1] * 4 * read,
  });
  return { ...plan, uniforms: { ...plan.uniforms, groupQuads: read } };
}

/** The plainest loops: one sum for each number of the output. */
export function referenceGrouped(
  { input, weights, bias, residual }: Parameters<Conv2dLast['reference']>[0],
  u: { readonly [name in GroupedUniform]: number },
  output: Float32Array,
): void {
  const [channels, filters, own] = [4 * u.quadsIn, 4 * u.quadsOut, 4 * u.groupQuads];
  for (let index = 0; index < u.pixels * filters; index++) {
    const filter = index % filters;
    const pixel = Math.floor(index / filters);
    const row = Math.floor(pixel / u.columns) % u.rows;
    const image = Math.floor(pixel / (u.columns * u.rows));
    const first = Math.floor(filter / ((filters * own) / channels)) * own;
    let sum = bias[filter] + residual[4 * pixel * u.residualStep + filter];
    for (let place = 0; place < u.kernelHeight * u.kernelWidth; place++) {
      const y = row * u.strideY + Math.floor(place / u.kernelWidth) * u.dilationY - u.padTop;
      const x = (pixel % u.columns) * u.strideX + (place % u.kernelWidth) * u.dilationX - u.padLeft;
      if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
      const at = ((image * u.height + y) * u.width + x) * channels + first;
      for (let c = 0; c < own; c++) sum += input[at + c] * weights[(place * own + c) * filters + filter];
    }
    output[index] = u.relu ? Math.max(sum, 0) : sum;
  }
}
