import { keepNonZero, type Resident } from '@cambium/gpu-kernels';
import { above, below, guarded, plus, scaled, share, times } from '../arithmetic.ts';
import { liveChannels } from '../batch-norm.ts';
import { linearMap } from '../linear-map.ts';
import { asPooled, averageBack, averageOf, maxPoolBack } from '../pooling.ts';
import type { Rule, Step } from '../rule.ts';
import { sumLike } from '../sum-like.ts';
import { pass, routing } from './routing.ts';

/**
 * Relevance-CAM's z⁺ rule: relevance is shared among the inputs in proportion to what they add, biases left out.
 *
 * Starts from 1 at the target and −1/N at the other N − 1 classes. Divisions by an exact 0 give 0; there is no other
 * stabiliser, so relevance may grow where the two sides of a residual addition nearly cancel.
 *
 * Batch normalisation passes relevance on, 0 where its input is 0. Behind a convolution that guard changes nothing,
 * because a z⁺ sum is 0 wherever all its inputs are, so it is left out there and the runtime may fuse the two.
 */
export const zPlus: Rule = {
  name: 'zPlus',
  source: 'Lee et al. 2021, "Relevance-CAM", CVPR, eq. 3 to 8; contrast of Gu et al. 2018, arXiv 1812.02100',
  mergeBatchNorm: false,
  start: (classes, target) => {
    const start = new Float32Array(classes).fill(-1 / classes);
    start[target] = 1;
    return start;
  },
  ops: {
    ...routing,
    Conv: linearRelevance,
    Gemm: linearRelevance,
    MatMul: linearRelevance,
    BatchNormalization: batchNormRelevance,
    Relu: pass,
    LeakyRelu: pass,
    Clip: pass,
    Sigmoid: pass,
    HardSigmoid: pass,
    HardSwish: pass,
    Add: sumRelevance,
    Sum: sumRelevance,
    Sub: sumRelevance,
    Mul: signalTakesAll,
    Div: signalTakesAll,
    MaxPool: (step) => [maxPoolBack(step, ofNonZero(step))],
    GlobalMaxPool: (step) => [maxPoolBack(step, ofNonZero(step))],
    AveragePool: meanRelevance,
    GlobalAveragePool: meanRelevance,
    ReduceMean: meanRelevance,
  },
};

/** R_in = X⁺·Wᵀ⁺(R/Z) + X⁻·Wᵀ⁻(R/Z) with Z = W⁺X⁺ + W⁻X⁻; the second half is 0 for inputs that cannot be negative. */
function linearRelevance(step: Step): (Resident | null)[] {
  const map = linearMap(step);
  const positive = above(step, map.weights);
  if (step.nonNegative[0]) {
    const ratio = share(step, step.arrived, map.apply(map.input, positive, null));
    return [times(step, map.input, map.back(ratio, positive))];
  }
  const negative = below(step, map.weights);
  const [high, low] = [above(step, map.input), below(step, map.input)];
  const total = plus(step, map.apply(high, positive, null), map.apply(low, negative, null));
  const ratio = share(step, step.arrived, total);
  return [plus(step, times(step, high, map.back(ratio, positive)), times(step, low, map.back(ratio, negative)))];
}

function batchNormRelevance(step: Step): (Resident | null)[] {
  const live = liveChannels(step);
  const arrived = live ? times(step, step.arrived, step.engine.upload(live)) : step.arrived;
  if (LINEAR.has(step.producer)) return [arrived];
  return [step.engine.run(keepNonZero, { signal: arrived, condition: step.input(0) }, undefined)];
}

/** Each computed summand a of out gets a·R/out. A constant summand is a bias: it takes nothing. */
function sumRelevance(step: Step): (Resident | null)[] {
  const computed = step.node.inputs.filter((_, index) => !step.constant(index));
  if (computed.length === 1) {
    return step.wanted.map((wanted, index) => (wanted ? sumLike(step, step.arrived, index) : null));
  }
  const ratio = guarded(step, step.arrived, step.output);
  return step.wanted.map((wanted, index) => {
    if (!wanted) return null;
    const sign = step.node.op === 'Sub' && index === 1 ? -1 : 1;
    const signed = sign === 1 ? step.input(index) : scaled(step, step.input(index), sign);
    return sumLike(step, times(step, signed, ratio), index);
  });
}

/**
 * A product passes all relevance to its signal and none to its gate: the gate is the factor that is constant or repeated
 * over space (squeeze-and-excitation), and of two equal shapes the second.
 *
 * @source Arras et al. 2017, arXiv 1706.07206, section 3.1
 */
export function signalTakesAll(step: Step): (Resident | null)[] {
  const size = (index: number): number =>
    step.constant(index) ? -1 : step.input(index).shape.reduce((product, length) => product * length, 1);
  const signal = step.node.op === 'Mul' && size(1) > size(0) ? 1 : 0;
  return step.wanted.map((wanted, index) => (wanted && index === signal ? step.arrived : null));
}

/** R_in = X⁺·mean⁻¹(R/mean(X⁺)): each place of a window gets its share of the positive sum. */
function meanRelevance(step: Step): (Resident | null)[] {
  const input = step.input(0);
  const positive = step.nonNegative[0] ? input : above(step, input);
  const mean = step.nonNegative[0] ? asPooled(step, step.output) : averageOf(step, positive);
  const ratio = share(step, asPooled(step, step.arrived), mean);
  return [times(step, positive, averageBack(step, ratio))];
}

/** X·d(max)/dX·R/max is R at the maximum, and 0 where the maximum is 0. */
function ofNonZero(step: Step): Resident {
  return step.engine.run(keepNonZero, { signal: step.arrived, condition: step.output }, undefined);
}

const LINEAR = new Set(['Conv', 'Gemm', 'MatMul']);
