import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { ABREAST, type Accuracy, fillPlanes, type Removal } from './grid-solver.ts';

/** Writes the image, C·H·W numbers, with removed pixels filled. */
export type Fill = (pixels: Float32Array, removal: Removal) => void;

/**
 * As near as float32 comes. In every pixel's own equation rounding adds up with their number, and where few are known it moves
 * all others together; larger images are nearer by coarser grids, to some 10⁻⁴ of the image's spread.
 */
function nearest(pixels: number): Accuracy {
  return { tolerance: 0, whole: pixels <= 64 * 64 };
}

/**
 * Fills removed pixels of an image, C×H×W, so that each is the weighted mean of its up to eight neighbours, known or not.
 *
 *     v_i Σ w_n = Σ w_n u_n over the neighbours inside the image, w = 1/6 beside, 1/12 diagonal
 *
 * The linear system is symmetric and positive definite as long as a pixel is known. With no pixel known there is nothing to go
 * by: the channel's mean.
 *
 * @param noise C·H·W numbers, added to the pixels that are filled
 * @source Rong et al. 2022, arXiv 2202.00449, eq. 7; spec 3.3
 */
export function imputer(image: Tensor, accuracy?: Accuracy, noise?: Float32Array): Fill {
  const [channels, height, width] = image.shape;
  const size = height * width;
  const wanted = accuracy ?? nearest(size);
  const groups = Array.from({ length: Math.ceil(channels / ABREAST) }, (_, group) => {
    const part = [ABREAST * group * size, Math.min(ABREAST * (group + 1), channels) * size] as const;
    return { part, planes: { image: image.data.subarray(...part), noise: noise?.subarray(...part), height, width } };
  });
  return (pixels, removal) => {
    for (const { part, planes } of groups) fillPlanes(pixels.subarray(...part), planes, removal, wanted);
  };
}

/** An image with its unknown pixels (H·W, 1 where unknown) filled: C×H×W → C×H×W. */
export function impute(image: Tensor, unknown: Uint8Array, accuracy?: Accuracy): Tensor {
  const pixels = new Float32Array(image.data.length);
  imputer(image, accuracy)(pixels, { relevance: Float32Array.from(unknown), threshold: 1 });
  return tensor(pixels, image.shape);
}
