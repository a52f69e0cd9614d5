import { type Tensor, tensor } from '@cambium/gpu-kernels';

/** Half of the kernel, from its end to its centre: almost a box. */
const halfKernel = [0.0879581, 0.0888961, 0.0904742, 0.0921911, 0.0934894, 0.0939821];

/**
 * Blurs an image as the demonstration of RISE does: 11×11, separable, zeros outside.
 *
 *     C×H×W  →  C×H×W
 *
 * @source spec 3.5: a delta of 11 pixels filtered by a Gaussian of sigma 5 under reflection
 */
export function riseBlur(image: Tensor): Tensor {
  const [, height, width] = image.shape;
  const sideways = along(image.data, { length: width, stride: 1 });
  return tensor(along(sideways, { length: height, stride: width, plane: height * width }), image.shape);
}

/** Convolves along one axis of `length` numbers that lie `stride` apart. */
function along(
  values: Float32Array,
  { length, stride, plane = length }: { length: number; stride: number; plane?: number },
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const position = Math.floor((index % plane) / stride);
    let sum = 0;
    for (let offset = -5; offset <= 5; offset++) {
      const inside = position + offset >= 0 && position + offset < length;
      if (inside) sum += halfKernel[5 - Math.abs(offset)] * values[index + offset * stride];
    }
    result[index] = sum;
  }
  return result;
}
