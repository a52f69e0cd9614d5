import { tensor } from '@cambium/gpu-kernels';
import type { CamMethod } from '../types.ts';
import { pytorchGradCamFinish } from './finish.ts';

/**
 * Random-CAM: weights drawn from U(−1, 1). It knows nothing of the network's decision: a method that scores no better
 * has explained nothing.
 */
export const randomCam: CamMethod<Record<never, never>> = {
  name: 'random-cam',
  title: 'Random-CAM',
  source: 'the sanity baseline of pytorch-grad-cam',
  defaults: {},
  rules: () => [],
  weights: async ({ activations, random }) => {
    const channels = activations.shape[0];
    return tensor(
      Float32Array.from({ length: channels }, () => random.uniformBetween(-1, 1)),
      [channels],
    );
  },
  finish: () => pytorchGradCamFinish,
};
