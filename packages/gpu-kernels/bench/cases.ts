import {
  compute,
  type KernelName,
  type kernels,
  lastShape,
  maxPool,
  type Named,
  numpyRandom,
  packFiltersWinograd,
  type Shape,
  type Tensor,
  uniformTensor,
} from '../src/index.ts';

/** How large the cases are: as in a ResNet-50 on a GPU, or small enough for an adapter that computes on the CPU. */
export interface Scale {
  /** Activations N×C×h×w of what moves memory. */
  readonly maps: Shape;
  /** Activations N×C×h×w of convolutions, whose reference loops are slow. */
  readonly convolved: Shape;
  /** Rows and columns of matrices. */
  readonly matrix: number;
  /** Rows and columns of an image. */
  readonly image: number;
  /** Variants of an image, masks or maps. */
  readonly variants: number;
}

export const scales = {
  hardware: { maps: [32, 256, 56, 56], convolved: [16, 256, 14, 14], matrix: 1024, image: 224, variants: 160 },
  software: { maps: [2, 16, 14, 14], convolved: [1, 16, 8, 8], matrix: 48, image: 32, variants: 6 },
} satisfies { readonly [name: string]: Scale };

/** One run to time. */
export interface BenchCase<In extends string = string, O = unknown> {
  /** Shapes of the inputs, which get uniform numbers in [−1, 1). */
  readonly shapes: Named<In, Shape>;
  readonly options: O;
  /** Additions and multiplications, where there are so many that arithmetic may be the limit. */
  readonly flops?: number;
  /** Replaces inputs that cannot be any numbers. */
  readonly prepare?: (inputs: Named<In, Tensor>) => Named<In, Tensor>;
}

type Plan<Name extends KernelName> = Parameters<(typeof kernels)[Name]['plan']>;

const point = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
const around = { ...point, pads: [1, 1, 1, 1] } as const;
const pooling = { ...around, kernel: [3, 3], strides: [2, 2], ceilMode: false } as const;
const averaging = { ...point, kernel: [2, 2], strides: [2, 2], ceilMode: false, countIncludePad: false } as const;
const rectifier = { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0 };

const single = ({ maps }: Scale) => ({ shapes: { input: maps }, options: undefined });
const pair = ({ maps }: Scale) => ({ shapes: { left: maps, right: maps }, options: undefined });
const pairOfHalves = ({ maps }: Scale) => ({
  shapes: { left: words(lastShape(maps)), right: words(lastShape(maps)) },
  options: undefined,
});
const quotient = ({ maps }: Scale) => ({ numerator: maps, denominator: maps });
const convolvedLast = ({ convolved }: Scale) => {
  const [, channels] = convolved;
  const maps = lastShape(convolved);
  return {
    shapes: { input: maps, weights: [9 * channels, channels], bias: [channels], residual: maps },
    options: { ...around, kernel: [3, 3] as const, relu: true },
    flops: convolutionFlops(convolved, 3),
  };
};
/** Four channels with each other, as in the first stage of a ResNeXt. */
const groupedCase = ({ convolved }: Scale) => {
  const [, channels] = convolved;
  const maps = lastShape(convolved);
  return {
    shapes: { input: maps, weights: [36, channels], bias: [channels], residual: [channels] },
    options: { ...around, kernel: [3, 3] as const, relu: true, groups: channels / 4 },
    flops: (4 / channels) * convolutionFlops(convolved, 3),
  };
};
const one = ({ image }: Scale): Shape => [1, 3, image, image];

const maskedLast = ({ image, variants }: Scale) => ({
  shapes: { image: [1, image, image, 4], activations: [variants, 7, 7] },
  options: { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const,
});

/** A case for every kernel of the registry. */
export const cases: {
  readonly [Name in KernelName]: (scale: Scale) => BenchCase<string & keyof Plan<Name>[0], Plan<Name>[1]>;
} = {
  add: pair,
  addHalf: pairOfHalves,
  averagePoolHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: averaging }),
  depthwiseHalf: ({ maps }) => {
    const channels = lastShape(maps)[3];
    return {
      shapes: { input: words(lastShape(maps)), weights: [9, channels], bias: [channels], residual: [channels / 2] },
      options: { ...around, kernel: [3, 3], relu: true },
    };
  },
  multiplyHalf: pairOfHalves,
  rectifyHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: rectifier }),
  sigmoidHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: undefined }),
  averagePool: ({ maps }) => ({ shapes: { input: maps }, options: averaging }),
  averagePoolLast: ({ maps }) => ({ shapes: { input: lastShape(maps) }, options: averaging }),
  averagePoolBackward: ({ maps }) => ({
    shapes: { gradient: halved(maps) },
    options: { ...averaging, inputSize: [maps[2], maps[3]] },
  }),
  channelMeans: single,
  channelMeansHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: undefined }),
  channelMeansLast: ({ maps }) => ({ shapes: { input: lastShape(maps) }, options: undefined }),
  concatAxis: ({ maps }) => ({ shapes: { left: halved(maps), right: halved(maps) }, options: { axis: 1 } }),
  conv2d: ({ convolved }) => ({
    shapes: { input: convolved, weights: square(convolved, 3), bias: [convolved[1]] },
    options: { ...around, groups: 1, relu: true },
    flops: convolutionFlops(convolved, 3),
  }),
  conv2dFused: ({ convolved }) => ({
    shapes: { input: convolved, weights: square(convolved, 1), bias: [convolved[1]], residual: convolved },
    options: { ...point, groups: 1, relu: true },
    flops: convolutionFlops(convolved, 1),
  }),
  conv2dHalf: (scale) => {
    const { shapes, options, flops } = convolvedLast(scale);
    const { input, weights, bias, residual } = shapes;
    return {
      shapes: { input: words(input), weights: words(weights), bias, residual: words(residual) },
      options,
      flops,
    };
  },
  conv2dLast: convolvedLast,
  conv2dLastDirect: convolvedLast,
  conv2dTranspose: ({ convolved }) => ({
    shapes: { input: convolved, weights: square(convolved, 3) },
    options: { ...around, groups: 1, outputSize: [convolved[2], convolved[3]] },
    flops: convolutionFlops(convolved, 3),
  }),
  conv2dWinograd: (scale) => {
    const { shapes, options, flops } = convolvedLast(scale);
    const [, channels] = scale.convolved;
    return {
      shapes: { ...shapes, weights: [16 * channels, channels] },
      options,
      flops, // of the convolution that it computes with fewer
      prepare: (inputs) => ({ ...inputs, weights: winogradWeights(channels) }),
    };
  },
  depthwiseLast: ({ maps }) => {
    const channels = lastShape(maps)[3];
    return {
      shapes: { input: lastShape(maps), weights: [9, channels], bias: [channels], residual: [channels] },
      options: { ...around, kernel: [3, 3], relu: true },
    };
  },
  groupedHalf: (scale) => {
    const { shapes, options, flops } = groupedCase(scale);
    const { input, weights, bias, residual } = shapes;
    return {
      shapes: { input: words(input), weights: words(weights), bias, residual: words(residual) },
      options,
      flops,
    };
  },
  groupedLast: groupedCase,
  divide: pair,
  fillRegions: (scale) => ({
    shapes: { image: one(scale), fill: one(scale), ranks: one(scale).toSpliced(1, 1), steps: [scale.variants, 1] },
    options: undefined,
  }),
  guardedDivide: (scale) => ({ shapes: quotient(scale), options: undefined }),
  keepNonZero: ({ maps }) => ({ shapes: { signal: maps, condition: maps }, options: undefined }),
  maskImagesHalf: maskedLast,
  maskImagesLast: maskedLast,
  maskImages: (scale) => ({
    shapes: { image: one(scale), activations: [scale.variants, 7, 7] },
    options: { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 },
  }),
  matmul: ({ matrix }) => ({
    shapes: { left: [matrix, matrix], right: [matrix, matrix] },
    options: {},
    flops: 2 * matrix ** 3,
  }),
  maxPool: ({ maps }) => ({ shapes: { input: maps }, options: pooling }),
  maxPoolBackward: ({ maps }) => ({
    shapes: { gradient: halved(maps), input: maps, output: halved(maps) },
    options: pooling,
    prepare: (inputs) => ({ ...inputs, output: compute(maxPool, { input: inputs.input }, pooling) }),
  }),
  maxPoolHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: pooling }),
  maxPoolLast: ({ maps }) => ({ shapes: { input: lastShape(maps) }, options: pooling }),
  minMax: ({ image, variants }) => ({ shapes: { input: [variants, image, image] }, options: { epsilon: 0 } }),
  multiply: pair,
  negativePart: single,
  packDepthwise: ({ matrix }) => ({ shapes: { weights: [matrix, 1, 3, 3] }, options: { direction: 'forward' } }),
  packFilters: ({ matrix }) => ({
    shapes: { weights: [matrix / 4, matrix / 4, 3, 3] },
    options: { direction: 'forward' },
  }),
  packFiltersWinograd: ({ matrix }) => ({
    shapes: { weights: [matrix / 4, matrix / 4, 3, 3] },
    options: { direction: 'forward' },
  }),
  packFilterPairsEvenHalf: ({ matrix }) => ({ shapes: { weights: [matrix / 4, 3, 3, 3] }, options: undefined }),
  packFilterPairsOddHalf: ({ matrix }) => ({ shapes: { weights: [matrix / 4, 3, 3, 3] }, options: undefined }),
  packFilterRowsHalf: ({ matrix }) => ({ shapes: { weights: [matrix / 4, matrix / 4, 3, 3] }, options: undefined }),
  packFiltersHalf: ({ matrix }) => ({ shapes: { weights: [matrix / 4, matrix / 4, 3, 3] }, options: undefined }),
  packHalf: single,
  packLast: single,
  padAxis: ({ maps }) => ({ shapes: { input: maps }, options: { axis: 1, before: 1, after: 2 } }),
  positivePart: single,
  rectifierGradient: ({ maps }) => ({ shapes: { gradient: maps, input: maps }, options: rectifier }),
  rectify: ({ maps }) => ({ shapes: { input: maps }, options: rectifier }),
  replacePixels: (scale) => ({
    shapes: { image: one(scale), fill: one(scale), ranks: one(scale), ranges: [scale.variants, 2] },
    options: undefined,
  }),
  reshape: ({ maps }) => ({
    shapes: { input: maps },
    options: { shape: [maps[0], maps[1], maps[2] * maps[3]] },
  }),
  sigmoid: single,
  sliceAxis: ({ maps }) => ({ shapes: { input: maps }, options: { axis: 1, start: 1, end: maps[1] } }),
  softmax: ({ matrix }) => ({ shapes: { input: [8 * matrix, matrix] }, options: undefined }),
  stabilisedDivide: (scale) => ({ shapes: quotient(scale), options: { epsilon: 1e-6 } }),
  subtract: pair,
  sumAxes: ({ maps }) => ({ shapes: { input: maps }, options: { axes: [2, 3] } }),
  translate: (scale) => ({
    shapes: { image: one(scale), fill: one(scale), shifts: [scale.variants, 1] },
    options: undefined,
    prepare: (inputs) => ({ ...inputs, shifts: wholeMultiples(inputs.shifts, scale.image) }),
  }),
  transpose: ({ maps }) => ({ shapes: { input: maps }, options: { axes: [0, 2, 3, 1] } }),
  unpackHalf: ({ maps }) => ({ shapes: { input: words(lastShape(maps)) }, options: { channels: maps[1] } }),
  unpackLast: ({ maps }) => ({ shapes: { input: lastShape(maps) }, options: { channels: maps[1] } }),
  upsampleBilinear: ({ image, variants }) => ({
    shapes: { input: [variants, 7, 7] },
    options: { size: [image, image], convention: 'half-pixel' },
  }),
  weightedSum: ({ maps }) => ({ shapes: { weights: [maps[0], maps[1]], activations: maps }, options: undefined }),
};

/** The shape of words that hold a tensor's halves. */
function words(shape: Shape): Shape {
  return shape.with(-1, shape[shape.length - 1] / 2);
}

/** Weights as `packFiltersWinograd` makes them: not any numbers are. */
function winogradWeights(channels: number): Tensor {
  const weights = uniformTensor(numpyRandom(2), [channels, channels, 3, 3]);
  return compute(packFiltersWinograd, { weights }, { direction: 'forward' });
}

/** Numbers times a factor, to the next whole number. */
function wholeMultiples({ data, shape }: Tensor, factor: number): Tensor {
  return { data: data.map((value) => Math.round(factor * value)), shape };
}

/** Weights from as many channels to as many channels. */
function square([, channels]: Shape, side: number): Shape {
  return [channels, channels, side, side];
}

/** Two for each product that a convolution of as many channels to as many adds up. */
function convolutionFlops([images, channels, height, width]: Shape, side: number): number {
  return 2 * images * height * width * channels ** 2 * side ** 2;
}

function halved([images, channels, height, width]: Shape): Shape {
  return [images, channels, Math.floor(height / 2), Math.floor(width / 2)];
}
