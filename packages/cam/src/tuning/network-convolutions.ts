import {
  type Conv2dLastInput,
  type Conv2dLastOptions,
  type ConvolutionShape,
  conv2dLast,
  mapNamed,
  type Named,
  type Shape,
} from '@cambium/gpu-kernels';
import { layOutForward } from '../classifiers/lay-out.ts';
import type { Graph } from '../onnx/graph.ts';
import { keyOf } from './tuning.ts';

/** A convolution of a network, as often as it occurs there with the same shape. */
export interface NetworkConvolution {
  readonly shape: ConvolutionShape;
  readonly count: number;
  /** With channels last, in float32; the weights as the network has them: filters × channels × window. */
  readonly tensors: Named<Conv2dLastInput, Shape>;
  readonly options: Conv2dLastOptions;
}

/**
 * The distinct convolutions of a network's forward pass over a batch, products of matrices (1×1) among them, in the order in which
 * they are computed. Those that differ only in shortcut or ReLU count as one, with a shortcut where one of
 * them has it.
 *
 * @throws ModelError when an operation of the network has no kernels
 */
export function networkConvolutions(graph: Graph, batch: number): readonly NetworkConvolution[] {
  const shapes: ConvolutionShape[] = [];
  const { steps } = layOutForward(graph, batch, {
    convolution(shape) {
      shapes.push(shape);
      return conv2dLast;
    },
  });
  const makers = new Map(steps.map((step) => [step.output, step] as const));
  const found = new Map<string, NetworkConvolution>();
  steps
    .filter(({ kernel }) => kernel === conv2dLast)
    .forEach(({ inputs, options }, index) => {
      const shape = shapes[index]; // asked for in the order of the steps
      const key = keyOf({ precision: 'f32', shape });
      const weights = makers.get(inputs.weights)?.inputs.weights.shape ?? inputs.weights.shape; // as packed from
      const tensors = { ...mapNamed(NAMES, (name) => inputs[name].shape), weights };
      const known = found.get(key) ?? { shape, count: 0, tensors, options: options as Conv2dLastOptions }; // its kernel's
      const heavier = known.tensors.residual.length < tensors.residual.length ? tensors : known.tensors;
      found.set(key, { ...known, tensors: heavier, count: known.count + 1 });
    });
  return [...found.values()];
}

const NAMES = ['input', 'weights', 'bias', 'residual'] as const;
