import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import { floatOf } from '../onnx/attributes.ts';
import type { NodeStep } from './rule.ts';

/**
 * What a batch normalisation multiplies each channel by, γ/√(σ² + ε), shaped C×1×1 (or C after a dense layer).
 *
 * @throws ModelError when the normalisation's vectors are not constants
 */
export function batchNormGain(step: NodeStep): Tensor {
  const gamma = vector(step, 1);
  const variance = vector(step, 4);
  const epsilon = floatOf(step.node.attributes, 'epsilon', 1e-5);
  const gain = gamma.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon));
  return tensor(gain, perChannel(step, gain.length));
}

/**
 * What a batch normalisation adds to each channel after its gain: β − gain·μ, shaped like the gain.
 *
 * @throws ModelError when the normalisation's vectors are not constants
 */
export function batchNormShift(step: NodeStep): Tensor {
  const { data: gain, shape } = batchNormGain(step);
  const [beta, mean] = [vector(step, 2), vector(step, 3)];
  return tensor(
    gain.map((value, channel) => beta[channel] - value * mean[channel]),
    shape,
  );
}

/** 1 for channels whose γ is not 0, else 0; null when that is all of them. */
export function liveChannels(step: NodeStep): Tensor | null {
  const gamma = vector(step, 1);
  if (!gamma.includes(0)) return null;
  return tensor(
    gamma.map((value) => (value === 0 ? 0 : 1)),
    perChannel(step, gamma.length),
  );
}

function perChannel(step: NodeStep, channels: number): number[] {
  return [channels, ...Array(Math.max(step.input(0).shape.length - 2, 0)).fill(1)];
}

function vector(step: NodeStep, input: number): Float32Array<ArrayBuffer> {
  const constant = step.constant(input);
  if (constant?.type !== 'float32') {
    throw new ModelError(
      `BatchNormalization at node ${step.node.name} has vectors that are computed, not stored; Cambium cannot walk through it.`,
    );
  }
  return constant.data;
}
