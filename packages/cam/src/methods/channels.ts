import { sizeOf, type Tensor } from '@cambium/gpu-kernels';

/** One channel of C×h×w, as a view. */
export function channelOf(activations: Tensor, channel: number): Float32Array<ArrayBuffer> {
  const area = sizeOf(activations.shape.slice(1));
  return activations.data.subarray(channel * area, (channel + 1) * area);
}

/** Whether a channel holds one number everywhere; a dead one holds 0. */
export function isConstant(activations: Tensor, channel: number): boolean {
  const values = channelOf(activations, channel);
  for (let place = 1; place < values.length; place++) if (values[place] !== values[0]) return false;
  return true;
}

/** Population standard deviation of each channel over space. */
export function spatialDeviations(activations: Tensor): Float64Array {
  return Float64Array.from({ length: activations.shape[0] }, (_, channel) => {
    const values = channelOf(activations, channel);
    let sum = 0;
    for (let place = 0; place < values.length; place++) sum += values[place];
    const mean = sum / values.length;
    let squares = 0;
    for (let place = 0; place < values.length; place++) squares += (values[place] - mean) ** 2;
    return Math.sqrt(squares / values.length);
  });
}
