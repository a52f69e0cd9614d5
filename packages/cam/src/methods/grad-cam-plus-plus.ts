import { sizeOf, type Tensor, tensor } from '@cambium/gpu-kernels';
import type { CamMethod } from '../types.ts';
import { pytorchGradCamFinish } from './finish.ts';

export interface GradCamPlusPlusOptions {
  /**
   * Whose form: they differ in what stands beside 2G² in the denominator, and at gradients of 10⁻³ that changes the
   * picture.
   */
  readonly variant: keyof typeof denominators;
}

/**
 * Grad-CAM++: gradients are averaged with weights that favour places where the score rises steeply.
 *
 *     a_kij = G²/(2G² + D_k)    w_k = Σ_ij a_kij ReLU(G_kij)    map = ReLU(Σ_k w_k A_k)
 *
 * with G the plain gradient of the logit; the paper's exp(score) cancels. `a` is 0 where its denominator is 0.
 */
export const gradCamPlusPlus: CamMethod<GradCamPlusPlusOptions> = {
  name: 'grad-cam++',
  title: 'Grad-CAM++',
  source: 'Chattopadhay et al. 2018, arXiv 1710.11063, eq. 19; default form and ε = 1e-6 as in pytorch-grad-cam',
  defaults: { variant: 'pytorch-grad-cam' },
  rules: () => ['gradient'],
  weights: async (probe, { variant }) =>
    plusPlusWeights(probe.activations, await probe.backward('gradient'), denominators[variant]),
  finish: () => pytorchGradCamFinish,
};

interface Denominator {
  /** D of one channel at one place, from the channel's sum of A, its sum of A·G³, and G there. */
  beside(sumA: number, sumAG3: number, g: number): number;
  /** Whether `a` is divided by its sum over the channel. */
  readonly normalised: boolean;
}

const denominators = {
  'pytorch-grad-cam': { beside: (sumA, _, g) => sumA * cube(g) + 1e-6, normalised: false },
  paper: { beside: (sumA, _, g) => sumA * cube(g), normalised: false },
  'relevance-cam': { beside: (_, sumAG3) => sumAG3, normalised: false },
  'tf-keras-vis': { beside: (sumA, _, g) => sumA * cube(g), normalised: true },
} as const satisfies { [variant: string]: Denominator };

function plusPlusWeights(activations: Tensor, gradients: Tensor, denominator: Denominator): Tensor {
  const [channels] = activations.shape;
  const area = sizeOf(activations.shape.slice(1));
  const weights = Array.from({ length: channels }, (_, channel) => {
    const [from, to] = [channel * area, (channel + 1) * area];
    return channelWeight(activations.data.subarray(from, to), gradients.data.subarray(from, to), denominator);
  });
  return tensor(weights, [channels]);
}

function channelWeight(a: Float32Array, gradient: Float32Array, { beside, normalised }: Denominator): number {
  let sumA = 0;
  let sumAG3 = 0;
  for (let place = 0; place < a.length; place++) {
    sumA += a[place];
    sumAG3 += a[place] * cube(gradient[place]);
  }
  let weight = 0;
  let total = 0;
  for (let place = 0; place < gradient.length; place++) {
    const g = gradient[place];
    const below = 2 * g * g + beside(sumA, sumAG3, g);
    const share = g === 0 || Math.abs(below) < SMALLEST ? 0 : (g * g) / below;
    weight += share * Math.max(g, 0);
    total += share;
  }
  return normalised && total !== 0 ? weight / total : weight;
}

/** A denominator nearer to 0 counts as 0: activations below 0 can cancel 2G², and the quotient means nothing there. */
const SMALLEST = 1e-30;

// a general power costs several times as much
function cube(value: number): number {
  return value * value * value;
}
