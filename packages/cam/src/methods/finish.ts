import type { MapFinish } from '../types.ts';

/** ReLU, min-max, resize, min-max again: pytorch-grad-cam's pipeline, and the default of the gradient methods. */
export const pytorchGradCamFinish: MapFinish = { relu: true, minMax: 'both', resize: 'half-pixel', epsilon: 1e-7 };
