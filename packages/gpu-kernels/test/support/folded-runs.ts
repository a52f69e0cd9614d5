import fc from 'fast-check';
import {
  type AnyKernel,
  channelMeans,
  channelMeansHalf,
  channelMeansLast,
  conv2dLastDirect,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  toHalves,
  uniformTensor,
} from '../../src/index.ts';
import { type RandomRun, randomRuns } from './random-runs.ts';

/** Runs whose grid is too long for `limit` workgroups along one dimension, and short enough to be folded into two. */
export function foldedRuns(name: KernelName, { limit, count }: { limit: number; count: number }): readonly RandomRun[] {
  const kernel: AnyKernel = kernels[name];
  const drawn = fc.sample(randomRuns(name), { seed: 23, numRuns: 300 });
  const folded = [...drawn, ...(wide[name] ?? [])].filter(({ inputs, options }) => {
    const { workgroups } = kernel.plan(
      mapNamed(kernel.inputs, (input) => inputs[input].shape),
      options,
    );
    return workgroups[0] > limit && workgroups[0] <= limit ** 2 && workgroups[1] === 1 && workgroups[2] === 1;
  });
  return folded.slice(0, count);
}

/** Runs of kernels whose random runs all have short grids. */
const wide: { readonly [name in KernelName]?: readonly RandomRun[] } = {
  [channelMeans.name]: [{ inputs: { input: uniformTensor(numpyRandom(2), [13, 17, 2, 3]) }, options: undefined }],
  [channelMeansLast.name]: [{ inputs: { input: uniformTensor(numpyRandom(3), [13, 2, 3, 72]) }, options: undefined }],
  [channelMeansHalf.name]: [
    { inputs: { input: toHalves(uniformTensor(numpyRandom(3), [13, 2, 3, 72])) }, options: undefined },
  ],
  [conv2dLastDirect.name]: [
    {
      inputs: {
        input: uniformTensor(numpyRandom(4), [2, 12, 13, 4]),
        weights: uniformTensor(numpyRandom(5), [4, 20]),
        bias: uniformTensor(numpyRandom(6), [20]),
        residual: uniformTensor(numpyRandom(7), [20]),
      },
      options: { kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
    },
  ],
};
