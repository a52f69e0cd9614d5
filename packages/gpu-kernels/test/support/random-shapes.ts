import fc from 'fast-check';
import { conv2d, type Named, type Shape, type Tensor } from '../../src/index.ts';

/** Shapes and options of a run, before there are numbers. */
export interface Plan {
  readonly shapes: Named<string, Shape>;
  readonly options?: unknown;
  /** Makes inputs fit that depend on each other's numbers. */
  readonly finish?: (inputs: { [name: string]: Tensor }) => { [name: string]: Tensor };
}

// What random shapes are made of: lengths of one and odd lengths among them.
export const small = fc.integer({ min: 1, max: 3 });
export const length = fc.integer({ min: 1, max: 9 });
export const side = fc.integer({ min: 1, max: 21 });
export const anyShape = fc.array(length, { maxLength: 4 });
export const images = fc.tuple(small, length, side, side);
export const pair = fc.tuple(small, small);

export const pointwise = anyShape.map((shape): Plan => ({ shapes: { input: shape } }));

/** Two shapes that broadcast: axes missing in front or of length 1 in one of them. */
export function broadcasting(left: string, right: string, options?: unknown): fc.Arbitrary<Plan> {
  const part = fc.record({ missing: fc.integer({ min: 0, max: 2 }), ones: fc.nat(15) });
  return fc.tuple(anyShape, part, fc.boolean()).map(([shape, { missing, ones }, swap]) => {
    const other = shape.map((axis, index) => (ones & (1 << index) ? 1 : axis)).slice(missing);
    return { shapes: { [left]: swap ? other : shape, [right]: swap ? shape : other }, options };
  });
}

const window = fc.record({
  kernel: pair,
  strides: pair,
  dilations: pair,
  pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
});

/** An image that holds at least one window, and a few rows and columns more. */
function imageFor(extra: readonly [number, number], kernel: readonly number[], dilations: readonly number[]): number[] {
  return extra.map((more, axis) => dilations[axis] * (kernel[axis] - 1) + 1 + more);
}

export const convolution = fc
  .tuple(
    window,
    fc.record({ groups: small, channels: small, filters: small, batch: small }),
    fc.tuple(fc.nat(9), fc.nat(9)),
  )
  .map(([{ kernel, ...options }, { groups, channels, filters, batch }, extra]) => ({
    kernel,
    input: [batch, groups * channels, ...imageFor(extra, kernel, options.dilations)],
    weights: [groups * filters, channels, ...kernel],
    bias: [groups * filters],
    options: { ...options, groups },
  }));

export const pooling = fc
  .tuple(window, fc.boolean(), fc.tuple(small, length), fc.tuple(fc.nat(9), fc.nat(9)), fc.boolean())
  .map(([{ kernel, strides, dilations, pads }, ceilMode, batch, extra, countIncludePad]) => ({
    input: [...batch, ...imageFor(extra, kernel, dilations)],
    average: [...batch, ...imageFor(extra, kernel, [1, 1])],
    options: {
      kernel,
      strides,
      dilations,
      pads: pads.map((pad, at) => Math.min(pad, kernel[at % 2] - 1)) as [number, number, number, number],
      ceilMode,
    },
    countIncludePad,
  }));

/** A convolution with channels last, as `conv2dLast` takes it, forward or back, with a residual or a row. */
export const lastConvolution = fc
  .tuple(convolution, fc.tuple(small, small, fc.boolean(), fc.boolean(), fc.boolean()))
  .map(([{ input, kernel, options }, [quadsIn, quadsOut, relu, goesBack, hasResidual]]): Plan => {
    const { groups: _, ...rest } = options;
    const window = { ...rest, kernel };
    const [batch, , height, width] = input;
    const maps = conv2d
      .plan({ input: [batch, 1, height, width], weights: [1, 1, ...kernel], bias: [1] }, { ...window, groups: 1 })
      .output.slice(2);
    const [from, to] = goesBack ? [maps, [height, width]] : [[height, width], maps];
    return {
      shapes: {
        input: [batch, ...from, 4 * quadsIn],
        weights: [kernel[0] * kernel[1] * 4 * quadsIn, 4 * quadsOut],
        bias: [4 * quadsOut],
        residual: hasResidual ? [batch, ...to, 4 * quadsOut] : [4 * quadsOut],
      },
      options: { ...window, relu, ...(goesBack ? { back: [height, width] } : {}) },
    };
  });

export const imagesLast = fc
  .tuple(small, side, side, small)
  .map(([batch, height, width, quads]) => [batch, height, width, 4 * quads]);

/** A convolution as `conv2dWinograd` takes it, with the filters channels first, as they are before they are packed. */
export const winogradConvolution = fc
  .record({
    batch: small,
    size: fc.tuple(side, side),
    pads: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
    quadsIn: small,
    quadsOut: fc.constantFrom(1, 2, 7, 9),
    relu: fc.boolean(),
    hasResidual: fc.boolean(),
    goesBack: fc.boolean(),
  })
  .map(({ batch, size, pads, quadsIn, quadsOut, relu, hasResidual, goesBack }): Plan => {
    const image = size.map((length, axis) => Math.max(length, 3 - pads[axis] - pads[axis + 2])); // at least one window
    const maps = image.map((length, axis) => length + pads[axis] + pads[axis + 2] - 2);
    const [from, to] = goesBack ? [maps, image] : [image, maps];
    return {
      shapes: {
        input: [batch, ...from, 4 * quadsIn],
        weights: [4 * quadsOut, 4 * quadsIn, 3, 3],
        bias: [4 * quadsOut],
        residual: hasResidual ? [batch, ...to, 4 * quadsOut] : [4 * quadsOut],
      },
      options: {
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        pads,
        relu,
        ...(goesBack ? { back: image } : {}),
      },
    };
  });

/** A convolution of each channel by itself, as `depthwiseLast` takes it. */
export const depthwiseConvolution = lastConvolution.map(({ shapes, options }): Plan => {
  const { kernel } = options as { readonly kernel: readonly number[] }; // a window has one
  const channels = shapes.weights[1];
  const input = shapes.input.with(3, channels);
  return { shapes: { ...shapes, input, weights: [kernel[0] * kernel[1], channels] }, options };
});

/** A convolution in groups of whole quads, as `groupedLast` takes it. */
export const groupedConvolution = fc
  .tuple(lastConvolution, small)
  .filter(([{ options }]) => !('back' in (options as object)))
  .map(([{ shapes, options }, groups]): Plan => {
    const wider = (shape: Shape) => shape.with(-1, groups * shape[shape.length - 1]);
    const { input, weights, bias, residual } = shapes;
    return {
      shapes: { input: wider(input), weights: wider(weights), bias: wider(bias), residual: wider(residual) },
      options: { ...(options as object), groups },
    };
  });
