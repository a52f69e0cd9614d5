import { sizeOf, type Tensor } from '@cambium/gpu-kernels';

/** One channel of C×h×w, as a view. */
export function channelOf(activations: Tensor, channel: number): Float32Array<ArrayBuffer> {
  const area = sizeOf(activations.shape.slice(1));
  return activations.data.subarray(channel * area, (channel + 1) * area);
}

/** Whether a channel holds one number everywhere; a dead one holds 0. */
export function isConstant(activations: Tensor, channel: number): boolean {
  const values = channelOf(activations, channel);
  return values.every((value) => value === values[0]);
}

/** Population standard deviation of each channel over space. */
export function spatialDeviations(activations: Tensor): Float64Array {
  return Float64Array.from({ length: activations.shape[0] }, (_, channel) => {
    const values = channelOf(activations, channel);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  });
}
