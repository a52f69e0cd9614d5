import fc from 'fast-check';
import {
  type AnyKernel,
  averagePool,
  compute,
  conv2d,
  doubledShape,
  type KernelName,
  kernels,
  maxPool,
  type Named,
  numpyRandom,
  packFiltersWinograd,
  type Shape,
  type Tensor,
  toHalves,
  uniformTensor,
} from '../../src/index.ts';

import {
  anyShape,
  broadcasting,
  convolution,
  depthwiseConvolution,
  groupedConvolution,
  images,
  imagesLast,
  lastConvolution,
  length,
  type Plan,
  pair,
  pointwise,
  pooling,
  side,
  small,
  winogradConvolution,
} from './random-shapes.ts';

/** Inputs and options to run a kernel on. */
export interface RandomRun {
  readonly inputs: Named<string, Tensor>;
  readonly options: unknown;
}

/**
 * Random runs of a kernel: lengths of one and odd lengths among them, every option that it has, numbers in [−2, 2) with a
 * fifth of them exactly 0.
 */
export function randomRuns(name: KernelName): fc.Arbitrary<RandomRun> {
  return fc.tuple(plans[name], fc.integer({ min: 0, max: 2 ** 31 })).map(([plan, seed]) => {
    const random = numpyRandom(seed);
    const kernel: AnyKernel = kernels[name];
    const inputs = Object.fromEntries(
      kernel.inputs.map((input: string) => {
        const isHalf = kernel.halves?.includes(input) ?? false;
        const wanted = plan.shapes[input];
        const { data, shape } = uniformTensor(random, isHalf ? doubledShape(wanted) : wanted, -2, 2);
        const drawn = { data: data.map((value) => (random.uniform() < 0.2 ? 0 : value)), shape };
        return [input, isHalf ? toHalves(drawn) : drawn];
      }),
    );
    return { inputs: plan.finish?.(inputs) ?? inputs, options: plan.options };
  });
}

const oneImage = fc.tuple(small, side, side).map((axes) => [1, ...axes]);

/** The shape of the words that hold so many halves. */
function halved(shape: Shape): Shape {
  return shape.with(-1, shape[shape.length - 1] / 2);
}

function round(tensor: Tensor, factor: number): Tensor {
  return { data: tensor.data.map((value) => Math.round(value * factor)), shape: tensor.shape };
}

function aroundOne({ data, shape }: Tensor): Tensor {
  return { data: data.map((value) => value + 1), shape };
}

/** Halves with channels last, one of them repeated over the batch or over space. */
const broadcastingLast = fc
  .tuple(imagesLast, fc.constantFrom('none', 'space', 'all'), fc.boolean())
  .map(([image, repeat, swap]) => {
    const { all, space, none } = { none: image, space: [image[0], 1, 1, image[3]], all: [1, 1, 1, image[3]] };
    const other = halved({ all, space, none }[repeat]);
    return { shapes: swap ? { left: other, right: halved(image) } : { left: halved(image), right: other } };
  });

const masked: fc.Arbitrary<Plan> = fc
  .record({
    image: oneImage,
    variants: length,
    map: pair,
    resize: fc.constantFrom('half-pixel', 'corner-aligned'),
    normalise: fc.constantFrom('after-resize', 'before-resize'),
    epsilon: fc.constantFrom(0, 1e-8, 0.125),
  })
  .map(({ image, variants, map, ...options }) => ({ shapes: { image, activations: [variants, ...map] }, options }));

/** The same with the image's channels last, a quad for each. */
function withChannelsLast({ shapes, options }: Plan): Plan {
  const [batch, channels, height, width] = shapes.image;
  return { shapes: { ...shapes, image: [batch, height, width, 4 * channels] }, options };
}

const plans: Record<KernelName, fc.Arbitrary<Plan>> = {
  add: broadcasting('left', 'right'),
  addHalf: broadcastingLast,
  averagePoolHalf: pooling.map(({ average, options: { dilations: _, ...options }, countIncludePad }) => {
    const [batch, quads, height, width] = average;
    return { shapes: { input: [batch, height, width, 2 * quads] }, options: { ...options, countIncludePad } };
  }),
  depthwiseHalf: depthwiseConvolution
    .filter(({ options }) => !('back' in (options as object)))
    .map(({ shapes, options }) => ({
      shapes: { ...shapes, input: halved(shapes.input), residual: halved(shapes.residual) },
      options,
    })),
  multiplyHalf: broadcastingLast,
  rectifyHalf: fc
    .record({
      input: imagesLast,
      floor: fc.constantFrom(0, -1),
      ceiling: fc.constantFrom(1, 6),
      slope: fc.constantFrom(0, 0.01),
    })
    .map(({ input, ...options }) => ({ shapes: { input: halved(input) }, options })),
  sigmoidHalf: imagesLast.map((input) => ({ shapes: { input: halved(input) } })),
  averagePool: pooling.map(({ average, options: { dilations: _, ...options }, countIncludePad }) => ({
    shapes: { input: average },
    options: { ...options, countIncludePad },
  })),
  averagePoolLast: pooling.map(({ average, options: { dilations: _, ...options }, countIncludePad }) => {
    const [batch, quads, height, width] = average;
    return { shapes: { input: [batch, height, width, 4 * quads] }, options: { ...options, countIncludePad } };
  }),
  averagePoolBackward: pooling.map(({ average, options: { dilations: _, ...rest }, countIncludePad }) => {
    const options = { ...rest, countIncludePad };
    const { output } = averagePool.plan({ input: average }, options);
    return { shapes: { gradient: output }, options: { ...options, inputSize: average.slice(2) } };
  }),
  channelMeans: images.map((input) => ({ shapes: { input } })),
  channelMeansHalf: imagesLast.map((input) => ({ shapes: { input: halved(input) } })),
  channelMeansLast: imagesLast.map((input) => ({ shapes: { input } })),
  concatAxis: fc.record({ left: images, axis: small, more: length }).map(({ left, axis, more }) => ({
    shapes: { left, right: left.with(axis, more) },
    options: { axis },
  })),
  conv2d: fc
    .tuple(convolution, fc.boolean())
    .map(([{ options, kernel: _, ...shapes }, relu]) => ({ shapes, options: { ...options, relu } })),
  conv2dFused: fc.tuple(convolution, fc.boolean()).map(([{ options, kernel: _, ...shapes }, relu]) => ({
    shapes: { ...shapes, residual: conv2d.plan(shapes, options).output },
    options: { ...options, relu },
  })),
  conv2dHalf: lastConvolution
    .filter(({ options }) => !('back' in (options as object)))
    .map(({ shapes: { input, weights, bias, residual }, options }) => ({
      shapes: { input: halved(input), weights: halved(weights), bias, residual: halved(residual) },
      options,
    })),
  conv2dLast: lastConvolution,
  conv2dLastDirect: lastConvolution,
  conv2dTranspose: convolution.map(({ options, ...shapes }) => ({
    shapes: { input: conv2d.plan(shapes, options).output, weights: shapes.weights },
    options: { ...options, outputSize: shapes.input.slice(2) },
  })),
  conv2dWinograd: winogradConvolution.map((plan) => ({
    ...plan,
    finish: ({ weights, ...inputs }) => ({
      ...inputs,
      weights: compute(packFiltersWinograd, { weights }, { direction: 'forward' }),
    }),
  })),
  depthwiseLast: depthwiseConvolution,
  divide: broadcasting('left', 'right').map((plan) => ({
    ...plan,
    finish: ({ left, right }) => ({ left, right: { ...right, data: right.data.map((value) => value || 1) } }),
  })),
  fillRegions: fc.tuple(oneImage, length).map(([image, variants]) => ({
    shapes: { image, fill: image, ranks: [1, ...image.slice(2)], steps: [variants, 1] },
    finish: (inputs) => ({ ...inputs, ranks: round(inputs.ranks, 2), steps: round(inputs.steps, 2) }),
  })),
  groupedHalf: groupedConvolution.map(({ shapes: { input, weights, bias, residual }, options }) => ({
    shapes: { input: halved(input), weights: halved(weights), bias, residual: halved(residual) },
    options,
  })),
  groupedLast: groupedConvolution,
  guardedDivide: broadcasting('numerator', 'denominator'),
  keepNonZero: broadcasting('signal', 'condition'),
  maskImages: masked,
  maskImagesHalf: masked.map(withChannelsLast),
  maskImagesLast: masked.map(withChannelsLast),
  matmul: fc
    .tuple(side, side, side, fc.record({ transposeLeft: fc.boolean(), transposeRight: fc.boolean() }))
    .map(([rows, inner, columns, options]) => ({
      shapes: {
        left: options.transposeLeft ? [inner, rows] : [rows, inner],
        right: options.transposeRight ? [columns, inner] : [inner, columns],
      },
      options,
    })),
  maxPool: pooling.map(({ input, options }) => ({ shapes: { input }, options })),
  maxPoolHalf: pooling.map(({ input: [batch, quads, height, width], options }) => ({
    shapes: { input: [batch, height, width, 2 * quads] },
    options,
  })),
  maxPoolLast: pooling.map(({ input: [batch, quads, height, width], options }) => ({
    shapes: { input: [batch, height, width, 4 * quads] },
    options,
  })),
  maxPoolBackward: pooling.map(({ input, options }) => {
    const { output } = maxPool.plan({ input }, options);
    return {
      shapes: { gradient: output, input, output },
      options,
      finish: (inputs) => ({ ...inputs, output: compute(maxPool, { input: inputs.input }, options) }),
    };
  }),
  minMax: fc
    .tuple(fc.array(length, { minLength: 2, maxLength: 4 }), fc.constantFrom(0, 1e-7, 0.125))
    .map(([input, epsilon]) => ({ shapes: { input }, options: { epsilon } })),
  multiply: broadcasting('left', 'right'),
  negativePart: pointwise,
  packDepthwise: fc
    .record({
      channels: fc.integer({ min: 1, max: 60 }),
      window: fc.tuple(small, small),
      direction: fc.constantFrom('forward', 'back'),
    })
    .map(({ channels, window, direction }) => ({
      shapes: { weights: [channels, 1, ...window] },
      options: { direction },
    })),
  packFilters: fc
    .record({ weights: fc.tuple(length, length, small, small), direction: fc.constantFrom('forward', 'back') })
    .map(({ weights, direction }) => ({ shapes: { weights }, options: { direction } })),
  packFiltersWinograd: fc
    .record({ filters: length, channels: length, direction: fc.constantFrom('forward', 'back') })
    .map(({ filters, channels, direction }) => ({
      shapes: { weights: [filters, channels, 3, 3] },
      options: { direction },
    })),
  packFilterPairsEvenHalf: fc
    .tuple(length, fc.integer({ min: 1, max: 4 }), small, small)
    .map((weights) => ({ shapes: { weights } })),
  packFilterPairsOddHalf: fc
    .tuple(length, fc.integer({ min: 1, max: 4 }), small, small)
    .map((weights) => ({ shapes: { weights } })),
  packFilterRowsHalf: fc.tuple(length, length, small, small).map((weights) => ({ shapes: { weights } })),
  packFiltersHalf: fc.tuple(length, length, small, small).map((weights) => ({ shapes: { weights } })),
  packHalf: images.map((input) => ({ shapes: { input } })),
  packLast: images.map((input) => ({ shapes: { input } })),
  padAxis: fc
    .record({ input: images, axis: small, before: fc.nat(3), after: fc.nat(3) })
    .map(({ input, ...options }) => ({ shapes: { input }, options })),
  positivePart: pointwise,
  rectifierGradient: fc
    .record({
      shape: anyShape,
      floor: fc.constantFrom(0, -1),
      ceiling: fc.constantFrom(1, 6, Number.POSITIVE_INFINITY),
      slope: fc.constantFrom(0, 0.01),
    })
    .map(({ shape, ...options }) => ({ shapes: { gradient: shape, input: shape }, options })),
  rectify: fc
    .record({
      input: anyShape,
      floor: fc.constantFrom(0, -1),
      ceiling: fc.constantFrom(1, 6, Number.POSITIVE_INFINITY),
      slope: fc.constantFrom(0, 0.01),
    })
    .map(({ input, ...options }) => ({ shapes: { input }, options })),
  replacePixels: fc.tuple(oneImage, length).map(([image, variants]) => ({
    shapes: { image, fill: image, ranks: image, ranges: [variants, 2] },
    finish: (inputs) => ({ ...inputs, ranks: round(inputs.ranks, 3), ranges: round(inputs.ranges, 3) }),
  })),
  reshape: images.map(([batch, channels, height, width]) => ({
    shapes: { input: [batch, channels, height, width] },
    options: { shape: [batch, height, width * channels] },
  })),
  sigmoid: pointwise,
  sliceAxis: images.chain((input) =>
    fc.record({ axis: small, from: fc.nat(20), count: side }).map(({ axis, from, count }) => {
      const start = from % input[axis];
      return { shapes: { input }, options: { axis, start, end: Math.min(start + count, input[axis]) } };
    }),
  ),
  softmax: fc.tuple(length, fc.integer({ min: 1, max: 150 })).map((input) => ({ shapes: { input } })),
  stabilisedDivide: broadcasting('numerator', 'denominator', { epsilon: 0.25 }),
  subtract: broadcasting('left', 'right'),
  sumAxes: fc
    .tuple(images, fc.subarray([0, 1, 2, 3], { minLength: 1 }))
    // around 1, for a sum of hundreds around 0 may cancel to less than what float32 loses when it adds in another order
    .map(([input, axes]) => ({
      shapes: { input },
      options: { axes },
      finish: ({ input }) => ({ input: aroundOne(input) }),
    })),
  translate: fc.tuple(oneImage, length).map(([image, variants]) => ({
    shapes: { image, fill: image, shifts: [variants, 1] },
    finish: (inputs) => ({ ...inputs, shifts: round(inputs.shifts, 6) }),
  })),
  transpose: fc
    .tuple(images, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }))
    .map(([input, axes]) => ({ shapes: { input }, options: { axes } })),
  unpackHalf: fc.tuple(imagesLast, fc.integer({ min: 0, max: 3 })).map(([input, padding]) => ({
    shapes: { input: halved(input) },
    options: { channels: input[3] - padding },
  })),
  unpackLast: fc.tuple(imagesLast, fc.integer({ min: 0, max: 3 })).map(([input, padding]) => ({
    shapes: { input },
    options: { channels: input[3] - padding },
  })),
  upsampleBilinear: fc
    .record({ maps: images, size: fc.tuple(side, side), convention: fc.constantFrom('half-pixel', 'corner-aligned') })
    .map(({ maps, ...options }) => ({ shapes: { input: maps }, options })),
  weightedSum: images.map((activations) => ({ shapes: { weights: activations.slice(0, 2), activations } })),
};
