import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { probabilityOf, softmax } from '../softmax.ts';
import type { CamMethod, MapFinish, MaskConvention, Probe } from '../types.ts';
import { isConstant, spatialDeviations } from './channels.ts';
import { pytorchGradCamFinish } from './finish.ts';

export interface ScoreCamOptions {
  /** Whose form: the peers share the name and differ in masks, scores and weights. */
  readonly variant: keyof typeof scoreCamVariants;
  /** How many channels are tried: those with the largest spatial deviation. All by default; 64 in `faster`. */
  readonly channels?: number;
}

/**
 * Score-CAM: a channel counts as much as the network still scores the target when it sees the image through that channel.
 *
 *     M_k = minmax(resize(A_k))    S_k = f_t(x·M_k)    map = ReLU(Σ_k w_k A_k), w from S
 *
 * The mask multiplies the normalised image, so what it hides turns to the mean colour. Needs no gradient: any network
 * will do. Constant channels are not tried: their mask is undefined, or 0 and then one forward pass serves them all.
 */
export const scoreCam: CamMethod<ScoreCamOptions> = {
  name: 'score-cam',
  title: 'Score-CAM',
  source: 'Wang et al. 2020, arXiv 1910.01279, eq. 3 to 5; default form: the authors’ code',
  defaults: { variant: 'author' },
  rules: () => [],
  weights: scoreWeights,
  finish: ({ variant }) => scoreCamVariants[variant].finish,
};

interface ScoreCamVariant {
  readonly mask: MaskConvention;
  /** What is read off the logits of a masked image. */
  readonly score: 'probability' | 'logit';
  /** Subtracted from every score. */
  readonly baseline: 'none' | 'image' | 'blank';
  /** Whether the scores go through a softmax over the channels. */
  readonly channelSoftmax: boolean;
  /** Whether a constant channel is scored with a mask of zeros, or left out with weight 0. */
  readonly scoresConstants: boolean;
  readonly finish: MapFinish;
}

/** The peers' Score-CAMs, as data. */
export const scoreCamVariants = {
  author: {
    mask: { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 },
    score: 'probability',
    baseline: 'none',
    channelSoftmax: false,
    scoresConstants: false,
    finish: { relu: true, minMax: 'after-resize', resize: 'half-pixel', epsilon: 0 },
  },
  'pytorch-grad-cam': {
    mask: { resize: 'corner-aligned', normalise: 'after-resize', epsilon: 1e-8 },
    score: 'logit',
    baseline: 'none',
    channelSoftmax: true,
    scoresConstants: true,
    finish: pytorchGradCamFinish,
  },
  'torch-cam': {
    mask: { resize: 'half-pixel', normalise: 'before-resize', epsilon: 1e-8 },
    score: 'logit',
    baseline: 'image',
    channelSoftmax: true,
    scoresConstants: true,
    finish: { relu: true, minMax: 'before-resize', resize: 'half-pixel', epsilon: 1e-8 },
  },
  paper: {
    mask: { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 },
    score: 'probability',
    baseline: 'blank',
    channelSoftmax: true,
    scoresConstants: false,
    finish: { relu: true, minMax: 'after-resize', resize: 'half-pixel', epsilon: 0 },
  },
  faster: {
    mask: { resize: 'corner-aligned', normalise: 'after-resize', epsilon: 1e-7 },
    score: 'probability',
    baseline: 'none',
    channelSoftmax: false,
    scoresConstants: true,
    finish: { relu: true, minMax: 'after-resize', resize: 'corner-aligned', epsilon: 1e-7 },
  },
} as const satisfies { [variant: string]: ScoreCamVariant };

/** Channels that `faster` tries unless told otherwise. */
const FASTER_CHANNELS = 64;

async function scoreWeights(probe: Probe, options: ScoreCamOptions): Promise<Tensor> {
  const variant: ScoreCamVariant = scoreCamVariants[options.variant];
  const { activations, target } = probe;
  const channels = chosenChannels(activations, options);
  const scored = variant.scoresConstants ? channels : channels.filter((channel) => !isConstant(activations, channel));
  const weights = new Float32Array(activations.shape[0]);
  if (scored.length > 0) {
    const matrix = await probe.maskedLogits(scored, variant.mask);
    const baseline = await baselineOf(probe, variant);
    const scores = scored.map((_, row) => scoreOf(rowOf(matrix, row), target, variant) - baseline);
    const weighed = variant.channelSoftmax ? softmax(Float32Array.from(scores)) : scores;
    scored.forEach((channel, row) => {
      weights[channel] = weighed[row];
    });
  }
  return tensor(weights, [weights.length]);
}

/** In ascending order: all, or those with the largest spatial standard deviation. */
function chosenChannels(activations: Tensor, { variant, channels }: ScoreCamOptions): number[] {
  const all = Array.from({ length: activations.shape[0] }, (_, channel) => channel);
  const wanted = channels ?? (variant === 'faster' ? FASTER_CHANNELS : all.length);
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new RangeError(`score-cam expected channels to be a whole number of at least 1, got ${wanted}.`);
  }
  if (wanted >= all.length) return all;
  const deviations = spatialDeviations(activations);
  const ranked = all.toSorted((a, b) => deviations[b] - deviations[a] || a - b);
  return ranked.slice(0, wanted).toSorted((a, b) => a - b);
}

async function baselineOf(probe: Probe, variant: ScoreCamVariant): Promise<number> {
  if (variant.baseline === 'none') return 0;
  const logits = variant.baseline === 'image' ? probe.logits : await probe.blankLogits();
  return scoreOf(logits, probe.target, variant);
}

function scoreOf(logits: Float32Array, target: number, { score }: ScoreCamVariant): number {
  return score === 'logit' ? logits[target] : probabilityOf(logits, target);
}

function rowOf(matrix: Tensor, row: number): Float32Array {
  const classes = matrix.shape[1];
  return matrix.data.subarray(row * classes, (row + 1) * classes);
}
