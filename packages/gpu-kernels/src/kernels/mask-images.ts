import type { Call, Kernel, Named, Plan } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { neighbours, type ResizeConvention, sampleBilinear } from './bilinear.ts';
import { maskProgram, portionsOf } from './mask-program.ts';
import { safeRange, traceMinMax } from './min-max.ts';
import { requireRank, requireSame } from './shapes.ts';
import { traceResize } from './upsample-bilinear.ts';
import type { Pair } from './window.ts';

/** How an activation becomes a mask in [0, 1]. */
export interface MaskOptions {
  readonly resize: ResizeConvention;
  /** Whether min-max sees the resized map or the activation itself. */
  readonly normalise: 'after-resize' | 'before-resize';
  /** Added to max − min in the denominator. */
  readonly epsilon: number;
}

type Uniform =
  | 'variants'
  | 'channels'
  | 'height'
  | 'width'
  | 'mapHeight'
  | 'mapWidth'
  | 'cornerAligned'
  | 'afterResize'
  | 'epsilon'
  | 'portions';

/**
 * Score-CAM's variants: one image seen through each of n masks.
 *
 *     image 1×C×H×W, activations n×h×w  →  n×C×H×W
 *
 * A mask is the activation, resized to the image and stretched by min-max. A constant activation gives the mask 0, and
 * so does one whose resized map is constant.
 *
 * @throws ShapeError when the image is not one image or the activations are not maps
 * @source spec 1.4, the rows "resize" and "normalise" of the table
 */
export const maskImages: Kernel<'image' | 'activations', Uniform, MaskOptions> = {
  name: 'maskImages',
  inputs: ['image', 'activations'],
  uniforms: {
    variants: 'u32',
    channels: 'u32',
    height: 'u32',
    width: 'u32',
    mapHeight: 'u32',
    mapWidth: 'u32',
    cornerAligned: 'u32',
    afterResize: 'u32',
    epsilon: 'f32',
    portions: 'u32',
  },
  plan: (shapes, options) => planMasks('maskImages', shapes, options),
  rows: () => ['activations'],
  reference({ image, activations }, u, output) {
    const pixels = u.height * u.width;
    for (let variant = 0; variant < u.variants; variant++) {
      const size = u.mapHeight * u.mapWidth;
      const mask = maskOf(activations.subarray(variant * size, (variant + 1) * size), u);
      for (let index = 0; index < u.channels * pixels; index++) {
        output[variant * u.channels * pixels + index] = image[index] * mask[index % pixels];
      }
    }
  },
  wgsl: maskProgram('first'),
  onnx(trace, call) {
    const masks = traceMasks(trace, call);
    const [, , height, width] = call.shapes.image;
    return trace.node('Mul', [call.inputs.image, trace.reshape(masks, [0, 1, height, width])]);
  },
  samples: (random) => {
    const activations = uniformTensor(random, [5, 3, 4], -0.5, 1);
    activations.data.fill(0.3, 12, 24); // a constant activation among others
    const inputs = { image: uniformTensor(random, [1, 3, 7, 10], -2, 2), activations };
    return [
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 }],
      [inputs, { resize: 'corner-aligned', normalise: 'after-resize', epsilon: 1e-8 }],
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0.25 }],
      [inputs, { resize: 'half-pixel', normalise: 'before-resize', epsilon: 0.125 }],
    ];
  },
};

/** Fits an image and activations to each other. @throws ShapeError when the image is not one image or the activations are not maps */
export function planMasks(
  where: string,
  { image, activations }: Named<'image' | 'activations', Shape>,
  { resize, normalise, epsilon }: MaskOptions,
): Plan<Uniform> {
  requireRank(where, 'an image', image, '1×channels×height×width');
  requireRank(where, 'activations', activations, 'variants×height×width');
  requireSame(where, 'one image', [1, ...image.slice(1)], image);
  const [, channels, height, width] = image;
  const [variants, mapHeight, mapWidth] = activations;
  const cornerAligned = Number(resize === 'corner-aligned');
  const isAfter = normalise === 'after-resize';
  const portions = portionsOf(height * width, mapHeight * mapWidth, isAfter);
  const maps = { mapHeight, mapWidth, cornerAligned, afterResize: Number(isAfter), epsilon };
  return {
    output: [variants, channels, height, width],
    uniforms: { variants, channels, height, width, ...maps, portions },
    workgroups: [variants * portions, 1, 1],
  };
}

/** One mask of height×width, in [0, 1]. */
export function maskOf(activation: Float32Array, u: { readonly [name in Uniform]: number }): Float32Array {
  const size: Pair = [u.height, u.width];
  const isConstant = activation.every((value) => value === activation[0]);
  if (isConstant) return new Float32Array(sizeOf(size));
  if (!u.afterResize) return resize(stretch(activation, u.epsilon), u);
  return stretch(resize(activation, u), u.epsilon);
}

function stretch(values: Float32Array, epsilon: number): Float32Array {
  const least = values.reduce((a, b) => Math.min(a, b));
  const range = values.reduce((a, b) => Math.max(a, b)) - least;
  return values.map((value) => (range === 0 ? 0 : (value - least) / (range + epsilon)));
}

function resize(map: Float32Array, u: { readonly [name in Uniform]: number }): Float32Array {
  const convention = u.cornerAligned ? 'corner-aligned' : 'half-pixel';
  return Float32Array.from({ length: u.height * u.width }, (_, pixel) => {
    const vertical = neighbours(Math.floor(pixel / u.width), u.mapHeight, u.height, convention);
    const horizontal = neighbours(pixel % u.width, u.mapWidth, u.width, convention);
    return sampleBilinear(map, 0, vertical, horizontal, u.mapWidth);
  });
}

/** The nodes of n×H×W masks in [0, 1]. */
export function traceMasks(
  trace: OnnxTrace,
  { inputs, shapes, options }: Call<'image' | 'activations', MaskOptions>,
): string {
  const [, , height, width] = shapes.image;
  const target = { size: [height, width] as const, convention: options.resize };
  if (options.normalise === 'before-resize') {
    const stretched = traceMinMax(trace, inputs.activations, shapes.activations, options.epsilon);
    return traceResize(trace, stretched, shapes.activations, target);
  }
  const maps = traceResize(trace, inputs.activations, shapes.activations, target);
  const least = trace.reduce('ReduceMin', maps, [1, 2]);
  const range = trace.node('Sub', [trace.reduce('ReduceMax', maps, [1, 2]), least]);
  // the activation's own range is exact: rounding in a resized constant must not be stretched to a mask
  const ownRange = trace.node('Sub', [
    trace.reduce('ReduceMax', inputs.activations, [1, 2]),
    trace.reduce('ReduceMin', inputs.activations, [1, 2]),
  ]);
  const scale = trace.node('Div', [trace.nonZero(ownRange), safeRange(trace, range, options.epsilon)]);
  return trace.node('Mul', [trace.node('Sub', [maps, least]), scale]);
}
