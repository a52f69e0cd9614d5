import { tensor } from '@cambium/gpu-kernels';
import type { CamMethod, MapFinish } from '../types.ts';
import { spatialMeans } from './grad-cam.ts';

export interface RelevanceCamOptions {
  /** What the other classes start from, taken off: 1/N, 1/(N − 1) or nothing. */
  readonly contrast: '1/N' | '1/(N-1)' | 'none';
  /** Whether the target starts from 1 or from its logit (and the others in proportion). */
  readonly start: 'one' | 'logit';
  /** `epsilonPlus` treats sums, biases and batch normalisation as zennit does. */
  readonly rule: 'zPlus' | 'epsilonPlus';
  readonly relu: boolean;
  /** `before-resize` is the authors' order; its peak is lower than 1. */
  readonly minMax: 'after-resize' | 'before-resize';
}

/**
 * Relevance-CAM: a channel counts as much relevance as arrives at it from the logits.
 *
 *     w_k = mean_ij R_kij        map = Σ_k w_k A_k (signed)
 *
 * We bring the map to [0, 1] after resizing, as for every other method; the authors do it before.
 */
export const relevanceCam: CamMethod<RelevanceCamOptions> = {
  name: 'relevance-cam',
  title: 'Relevance-CAM',
  source: 'Lee et al. 2021, "Relevance-CAM: Your Model Already Knows Where to Look", CVPR, eq. 9 and 10',
  defaults: { contrast: '1/N', start: 'one', rule: 'zPlus', relu: false, minMax: 'after-resize' },
  rules: ({ rule }) => [rule],
  weights: async (probe, options) => {
    const start = startOf(probe.logits, probe.target, options);
    return spatialMeans(await probe.backward(options.rule, start));
  },
  finish: ({ relu, minMax }): MapFinish => ({ relu, minMax, resize: 'half-pixel', epsilon: 0 }),
};

function startOf(
  logits: Float32Array,
  target: number,
  { contrast, start }: RelevanceCamOptions,
): Float32Array<ArrayBuffer> {
  const classes = logits.length;
  const others = { '1/N': -1 / classes, '1/(N-1)': classes > 1 ? -1 / (classes - 1) : 0, none: 0 }[contrast];
  const scale = start === 'logit' ? logits[target] : 1;
  const { data } = tensor(new Float32Array(classes).fill(others * scale), [classes]);
  data[target] = scale;
  return data;
}
