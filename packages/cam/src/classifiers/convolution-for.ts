import {
  type Conv2dLast,
  type ConvolutionShape,
  conv2dLastDirect,
  conv2dLastWith,
  type OpenedDevice,
} from '@cambium/gpu-kernels';

/** Workgroups that keep a large GPU busy: a few for each of its cores. */
const ENOUGH = 512;

/**
 * Which program computes a convolution on a device that has not been tuned: without barriers on a software adapter, otherwise in
 * the largest tiles that still make enough workgroups, and no wider than there are channels.
 */
export function convolutionFor({ software, limits }: Pick<OpenedDevice, 'software' | 'limits'>) {
  return ({ pixels, channels }: ConvolutionShape): Conv2dLast => {
    if (software) return conv2dLastDirect;
    const wide = limits.maxComputeInvocationsPerWorkgroup >= 256 && limits.maxComputeWorkgroupStorageSize >= 16_384;
    const tiles = [
      { across: 16, down: 16 },
      { across: 8, down: 16 },
      { across: 8, down: 8 },
    ] as const;
    const fits = tiles.find(({ across, down }) => {
      const groups = Math.ceil(pixels / (8 * down)) * Math.ceil(channels / (8 * across));
      return (wide || across * down < 256) && channels >= 8 * across && groups >= ENOUGH;
    });
    return conv2dLastWith(fits ?? { across: 8, down: 8 });
  };
}
