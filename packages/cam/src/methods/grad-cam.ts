import { channelMeans, compute, type Tensor, tensor } from '@cambium/gpu-kernels';
import type { CamMethod } from '../types.ts';
import { pytorchGradCamFinish } from './finish.ts';

/**
 * Grad-CAM: a channel counts as much as the target's logit rises with it on average.
 *
 *     w_k = mean_ij ∂z_t/∂A_kij        map = ReLU(Σ_k w_k A_k)
 */
export const gradCam: CamMethod<Record<never, never>> = {
  name: 'grad-cam',
  title: 'Grad-CAM',
  source: 'Selvaraju et al. 2017, arXiv 1610.02391, eq. 1 and 2',
  defaults: {},
  rules: () => ['gradient'],
  weights: async (probe) => spatialMeans(await probe.backward('gradient')),
  finish: () => pytorchGradCamFinish,
};

/** Mean of each channel over space, C×h×w → C. */
export function spatialMeans(arrived: Tensor): Tensor {
  const batch = tensor(arrived.data, [1, ...arrived.shape]);
  return tensor(compute(channelMeans, { input: batch }, undefined).data, [arrived.shape[0]]);
}
