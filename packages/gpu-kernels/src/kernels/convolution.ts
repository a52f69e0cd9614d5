import { ShapeError } from '../errors.ts';
import type { Named, Plan } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { type Shape, sizeOf } from '../tensor.ts';
import { requireRank, requireSame, show, workgroupsFor } from './shapes.ts';
import { type ConvOptions, type Pair, placeWindows } from './window.ts';

/**
 * Uniforms of a convolution and of its gradient. The image is N×channels×height×width, the maps are
 * N×filters×rows×columns, the weights filters×groupChannels×kernelHeight×kernelWidth.
 */
export const convolutionUniforms = {
  count: 'u32',
  channels: 'u32',
  height: 'u32',
  width: 'u32',
  filters: 'u32',
  rows: 'u32',
  columns: 'u32',
  kernelHeight: 'u32',
  kernelWidth: 'u32',
  strideY: 'u32',
  strideX: 'u32',
  padTop: 'u32',
  padLeft: 'u32',
  dilationY: 'u32',
  dilationX: 'u32',
  groupChannels: 'u32',
  groupFilters: 'u32',
} as const;

export type ConvolutionUniform = keyof typeof convolutionUniforms;

/**
 * Fits weights and options to an image N×C×H×W and returns the shape of the maps and the uniforms, all but `count`.
 *
 * @throws ShapeError when weights or groups do not fit the image, or no window does
 */
function fitConvolution(
  where: string,
  image: Shape,
  weights: Shape,
  options: ConvOptions,
): { maps: Shape; fields: Omit<Plan<ConvolutionUniform>['uniforms'], 'count'> } {
  requireRank(where, 'an image', image, 'batch×channels×height×width');
  requireRank(where, 'weights', weights, 'filters×channels×height×width');
  const { strides, pads, dilations, groups } = options;
  const [batch, channels, height, width] = image;
  const [filters, groupChannels, kernelHeight, kernelWidth] = weights;
  if (groupChannels * groups !== channels || filters % groups !== 0) {
    const wanted = `filters in ${groups} groups over ${channels / groups} channels each, to fit ${show(image)}`;
    throw new ShapeError(where, wanted, show(weights));
  }
  const kernel: Pair = [kernelHeight, kernelWidth];
  const [rows, columns] = placeWindows(where, [height, width], { kernel, strides, pads, dilations }).size;
  const fields = {
    channels,
    height,
    width,
    filters,
    rows,
    columns,
    kernelHeight,
    kernelWidth,
    strideY: strides[0],
    strideX: strides[1],
    padTop: pads[0],
    padLeft: pads[1],
    dilationY: dilations[0],
    dilationX: dilations[1],
    groupChannels,
    groupFilters: filters / groups,
  };
  return { maps: [batch, filters, rows, columns], fields };
}

/** Plans image → maps. @throws ShapeError, RangeError */
export function planConvolution(
  where: string,
  image: Shape,
  weights: Shape,
  options: ConvOptions,
): Plan<ConvolutionUniform> {
  const { maps, fields } = fitConvolution(where, image, weights, options);
  return { output: maps, uniforms: { ...fields, count: sizeOf(maps) }, workgroups: workgroupsFor(sizeOf(maps)) };
}

/** Plans maps → image, the way back. @throws ShapeError also when the maps are not what the image would give */
export function planConvolutionBack(
  where: string,
  { maps, weights }: { readonly maps: Shape; readonly weights: Shape },
  options: ConvOptions & { readonly outputSize: Pair },
): Plan<ConvolutionUniform> {
  requireRank(where, 'an input', maps, 'batch×filters×rows×columns');
  requireRank(where, 'weights', weights, 'filters×channels×height×width');
  const image = [maps[0], weights[1] * options.groups, ...options.outputSize];
  const fit = fitConvolution(where, image, weights, options);
  requireSame(where, `an input that an output of ${show(image)} belongs to, that is one`, fit.maps, maps);
  return { output: image, uniforms: { ...fit.fields, count: sizeOf(image) }, workgroups: workgroupsFor(sizeOf(image)) };
}

/** One element of the maps: the window's numbers times the filter's, without bias. */
export function windowSum(
  index: number,
  input: Float32Array,
  weights: Float32Array,
  u: Named<ConvolutionUniform, number>,
): number {
  const column = index % u.columns;
  const row = Math.floor(index / u.columns) % u.rows;
  const filter = Math.floor(index / (u.columns * u.rows)) % u.filters;
  const image = Math.floor(index / (u.columns * u.rows * u.filters));
  const first = Math.floor(filter / u.groupFilters) * u.groupChannels;
  let sum = 0;
  for (let c = 0; c < u.groupChannels; c++) {
    for (let ky = 0; ky < u.kernelHeight; ky++) {
      for (let kx = 0; kx < u.kernelWidth; kx++) {
        const y = row * u.strideY + ky * u.dilationY - u.padTop;
        const x = column * u.strideX + kx * u.dilationX - u.padLeft;
        if (y < 0 || y >= u.height || x < 0 || x >= u.width) continue;
        const weight = weights[((filter * u.groupChannels + c) * u.kernelHeight + ky) * u.kernelWidth + kx];
        sum += weight * input[((image * u.channels + first + c) * u.height + y) * u.width + x];
      }
    }
  }
  return sum;
}

/** A Conv node; `inputs` are image, weights and bias. */
export function traceConvolution(
  trace: OnnxTrace,
  inputs: readonly string[],
  weights: Shape,
  { strides, pads, dilations, groups }: ConvOptions,
): string {
  return trace.node('Conv', inputs, {
    kernel_shape: { ints: weights.slice(2) },
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
    group: { int: groups },
  });
}
