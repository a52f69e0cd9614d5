import type { Conv2dLast, Conv2dLastOptions } from '../channels-last/conv2d-last-plan.ts';
import type { GroupedOptions } from '../channels-last/grouped-last.ts';
import { paddedChannels } from '../channels-last/layout.ts';
import type { PackFiltersOptions } from '../channels-last/pack-filters.ts';
import { packLast } from '../channels-last/pack-last.ts';
import { unpackLast } from '../channels-last/unpack-last.ts';
import type { Conv2dHalf } from '../halves/conv2d-half-plan.ts';
import type { AnyKernel, Named } from '../kernel.ts';
import { averagePool } from '../kernels/average-pool.ts';
import { channelMeans } from '../kernels/channel-means.ts';
import { type ConcatAxisOptions, concatAxis } from '../kernels/concat-axis.ts';
import { type Conv2dOptions, conv2d } from '../kernels/conv2d.ts';
import { conv2dFused } from '../kernels/conv2d-fused.ts';
import { type ConvTransposeOptions, conv2dTranspose } from '../kernels/conv2d-transpose.ts';
import { divide } from '../kernels/divide.ts';
import { maskImages } from '../kernels/mask-images.ts';
import { maxPool } from '../kernels/max-pool.ts';
import { reshape } from '../kernels/reshape.ts';
import { mapNamed } from '../named.ts';
import { filled, type Shape, sizeOf } from '../tensor.ts';
import { isRow, paddedRow, rowAsImage, zeroRow } from './channel-rows.ts';
import { constantValues } from './constant-values.ts';
import { type ConvolutionShape, convolutionShape } from './convolution-shape.ts';
import { halfKernels, type LayoutKernels, lastKernels } from './layout-kernels.ts';
import { type RecordedStep, type RecordedValue, stepOf } from './recording-engine.ts';

export interface ChannelsLastOptions {
  /** Which program computes a convolution of so many pixels, from so many products for each number, to so many channels. */
  readonly convolution: (shape: ConvolutionShape) => Conv2dLast;
  /** Which program computes a convolution in half precision; `conv2dHalf` unless said. */
  readonly halfConvolution?: (shape: ConvolutionShape) => Conv2dHalf;
  /** `f16` keeps convolutions and poolings of a forward pass in half precision, with sums in float32; `f32` unless said. */
  readonly precision?: 'f32' | 'f16';
}

/** A recording laid out anew, and the values that stand for its outputs. */
export interface LaidOut {
  readonly steps: readonly RecordedStep[];
  readonly outputs: readonly RecordedValue[];
}

/**
 * Computes convolutions, and what lies between them, with channels last.
 *
 * Values keep one layout or get both: steps that need channels first (and the outputs) read a converted copy. Weights are
 * packed by steps of their own that read constants only, so whoever runs the recording many times computes them once.
 * Convolutions in groups without whole quads of channels, and weights that are computed, stay as they are. In half precision the way back and rarer
 * operations read and write float32.
 */
export function channelsLast(
  recorded: readonly RecordedStep[],
  outputs: readonly RecordedValue[],
  options: ChannelsLastOptions,
): LaidOut {
  const layout = new Layout(recorded, options);
  for (const step of recorded) layout.add(step);
  const laidOut = outputs.map((value) => layout.first(value));
  return { steps: layout.steps, outputs: laidOut };
}

class Layout {
  readonly steps: RecordedStep[] = [];
  readonly #kernels: LayoutKernels;
  readonly #constants: ReadonlySet<RecordedValue>;
  readonly #first = new Map<RecordedValue, RecordedValue>();
  readonly #last = new Map<RecordedValue, RecordedValue>();
  readonly #means = new Map<RecordedValue, RecordedValue>(); // N×C, as images of one pixel with channels last

  constructor(recorded: readonly RecordedStep[], options: ChannelsLastOptions) {
    this.#kernels =
      options.precision === 'f16' ? halfKernels(options.halfConvolution) : lastKernels(options.convolution);
    this.#constants = constantValues(recorded);
  }

  /** The value with channels first. */
  first(value: RecordedValue): RecordedValue {
    const known = this.#first.get(value);
    if (known) return known;
    const last = this.#last.get(value);
    const result = last ? this.#run(this.#kernels.unpack, { input: last }, { channels: value.shape[1] }) : value;
    this.#first.set(value, result);
    return result;
  }

  add(step: RecordedStep): void {
    const { kernel, inputs, options, output } = step;
    const last = this.#addLast(step);
    if (last) {
      this.#last.set(output, last);
      return;
    }
    if (kernel === channelMeans && this.#last.has(inputs.input)) {
      const means = this.#run(this.#kernels.means, { input: this.#lastOf(inputs.input) }, undefined);
      const first = this.#run(unpackLast, { input: means }, { channels: output.shape[1] });
      this.#first.set(output, this.#run(reshape, { input: first }, { shape: output.shape }));
      if (this.#kernels.inOneNumber === 1) this.#means.set(output, means);
      return;
    }
    const own = mapNamed(kernel.inputs as readonly string[], (name) => this.first(inputs[name]));
    this.steps.push({ kernel, inputs: own, options, output });
    this.#first.set(output, output);
  }

  /** The step's result with channels last, where it is computed so. */
  #addLast({ kernel, inputs, options, output }: RecordedStep): RecordedValue | undefined {
    if (kernel === conv2d || kernel === conv2dFused) return this.#convolve(inputs, options as Conv2dOptions); // theirs
    if (kernel === conv2dTranspose) return this.#convolveBack(inputs, options as ConvTransposeOptions); // its own
    if (kernel === maskImages) {
      const image = this.#run(packLast, { input: this.first(inputs.image) }, undefined);
      return this.#run(this.#kernels.masks, { image, activations: this.first(inputs.activations) }, options);
    }
    if (kernel === reshape) return this.#meansAsImages(inputs.input, output);
    const { maxPool: largest, averagePool: average, concat } = this.#kernels;
    if (kernel === maxPool) return this.#pool(largest, inputs.input, options);
    if (kernel === averagePool) return this.#pool(average, inputs.input, options);
    if (kernel === concatAxis) return this.#join(concat, inputs, options as ConcatAxisOptions); // its own
    const pointwise = this.#kernels.elementWise.get(kernel);
    return pointwise && this.#pointwise(kernel, inputs, { options, ...pointwise });
  }

  #convolve(inputs: Named<string, RecordedValue>, options: Conv2dOptions): RecordedValue | undefined {
    const { input, weights, bias, residual } = inputs;
    const row = paddedRow(bias);
    const { strides, pads, dilations, relu, groups } = options;
    const form = formOf(weights.shape, groups);
    if (!form || !this.#constants.has(weights) || !row) return undefined;
    const [filters, , height, width] = weights.shape;
    return this.#product(
      {
        input,
        weights,
        bias: row,
        residual: residual ? this.#lastOf(residual) : zeroRow(filters, this.#kernels.inOneNumber),
      },
      { kernel: [height, width], strides, pads, dilations, relu, ...(form === 'grouped' ? { groups } : {}) },
      form,
    );
  }

  #pool(kernel: AnyKernel, input: RecordedValue, options: unknown): RecordedValue | undefined {
    return this.#last.has(input) ? this.#run(kernel, { input: this.#lastOf(input) }, options) : undefined;
  }

  /** Means of channels that are looked at as images of one pixel, as a squeeze does it: they are laid out already. */
  #meansAsImages(input: RecordedValue, { shape }: RecordedValue): RecordedValue | undefined {
    const isImage = shape.length === 4 && shape[2] * shape[3] === 1;
    return isImage ? this.#means.get(input) : undefined;
  }

  /** Images joined along channels. Those of the left must fill their last quad, or padding would lie between. */
  #join(kernel: AnyKernel, { left, right }: Named<string, RecordedValue>, { axis }: ConcatAxisOptions) {
    const fits = axis === 1 && left.shape.length === 4 && left.shape[1] === paddedChannels(left.shape[1]);
    if (!fits || !(this.#last.has(left) || this.#last.has(right))) return undefined;
    return this.#run(kernel, { left: this.#lastOf(left), right: this.#lastOf(right) }, { axis: 3 });
  }

  #convolveBack(inputs: Named<string, RecordedValue>, options: ConvTransposeOptions): RecordedValue | undefined {
    const { input, weights } = inputs;
    const { strides, pads, dilations, outputSize, groups } = options;
    const form = formOf(weights.shape, groups);
    const goesBack = this.#kernels.goesBack && (form === 'whole' || form === 'depthwise');
    if (!goesBack || !this.#constants.has(weights)) return undefined;
    const [, channels, height, width] = weights.shape;
    const none = zeroRow(channels * groups, this.#kernels.inOneNumber);
    return this.#product(
      { input, weights, bias: none, residual: none },
      { kernel: [height, width], strides, pads, dilations, back: outputSize },
      form,
    );
  }

  /** @param inputs bias and residual laid out already, input and weights with channels first */
  #product(
    inputs: Named<'input' | 'weights' | 'bias' | 'residual', RecordedValue>,
    options: Conv2dLastOptions & Partial<GroupedOptions>,
    form: ConvolutionForm,
  ): RecordedValue {
    const { kernel, filters } =
      form === 'whole'
        ? this.#kernels.convolution(convolutionShape(inputs.input.shape, inputs.weights.shape, options))
        : this.#kernels[form];
    const direction: PackFiltersOptions['direction'] = options.back ? 'back' : 'forward';
    const input = this.#lastOf(inputs.input);
    const weights = this.#run(filters, { weights: this.first(inputs.weights) }, { direction });
    return this.#run(kernel, { ...inputs, input, weights }, options);
  }

  /**
   * Operands with the same channels; images of one pixel, rows of a number for each channel, and numbers are repeated where the
   * kernel repeats. What becomes of the zeros in the padding stays finite in all of these, and nothing reads it.
   */
  #pointwise(
    kernel: AnyKernel,
    inputs: Named<string, RecordedValue>,
    own: { readonly kernel: AnyKernel; readonly options?: unknown },
  ): RecordedValue | undefined {
    const names = kernel.inputs as readonly string[];
    const isNumber = (name: string) => sizeOf(inputs[name].shape) === 1 && inputs[name].shape.length <= 1;
    const { inOneNumber } = this.#kernels;
    const images = names.filter((name) => inputs[name].shape.length === 4 && !isRow(inputs[name]));
    if (images.length === 0 || !images.some((name) => this.#last.has(inputs[name]))) return undefined;
    const [, channels] = inputs[images[0]].shape;
    if (images.some((name) => inputs[name].shape[1] !== channels)) return undefined;
    if (kernel === divide && channels !== paddedChannels(channels)) return undefined; // 0 / 0 in the padding
    const rest = names.filter((name) => !images.includes(name) && !isNumber(name));
    if (rest.some((name) => !isRow(inputs[name]) || sizeOf(inputs[name].shape) !== channels)) return undefined;
    if (inOneNumber === 2 && names.some((name) => isNumber(name) && !inputs[name].constant)) return undefined;
    const laidOut = mapNamed(names, (name) => {
      if (images.includes(name)) return this.#lastOf(inputs[name]);
      const { constant } = inputs[name]; // a row is one, and where numbers are halves so is a number
      if (rest.includes(name)) return rowAsImage(constant!.data, inOneNumber);
      return inOneNumber === 2
        ? rowAsImage(filled(constant!.data[0], channels).data, inOneNumber)
        : this.first(inputs[name]);
    });
    return this.#run(own.kernel, laidOut, own.options);
  }

  #lastOf(value: RecordedValue): RecordedValue {
    const known = this.#last.get(value);
    if (known) return known;
    const result = this.#run(this.#kernels.pack, { input: this.first(value) }, undefined);
    this.#last.set(value, result);
    return result;
  }

  #run(kernel: AnyKernel, inputs: Named<string, RecordedValue>, options: unknown): RecordedValue {
    const step = stepOf(kernel, inputs, options);
    this.steps.push(step);
    return step.output;
  }
}

/** All channels with all filters, each channel by itself, or in groups that have whole quads of both. */
type ConvolutionForm = 'whole' | 'depthwise' | 'grouped';

/** @param weights filters × channels of a group × window */
function formOf([filters, channels]: Shape, groups: number): ConvolutionForm | undefined {
  if (groups === 1) return 'whole';
  if (groups === filters && channels === 1) return 'depthwise';
  return channels % 4 === 0 && (filters / groups) % 4 === 0 ? 'grouped' : undefined;
}
