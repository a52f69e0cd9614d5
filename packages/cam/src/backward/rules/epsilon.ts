import type { Resident } from '@cambium/gpu-kernels';
import { scaled, stabilised, times } from '../arithmetic.ts';
import { linearMap } from '../linear-map.ts';
import { asPooled, averageBack, maxPoolBack } from '../pooling.ts';
import { oneHot, type Rule, type Step } from '../rule.ts';
import { sumLike } from '../sum-like.ts';
import { pass, routing } from './routing.ts';
import { signalTakesAll } from './z-plus.ts';

/** Added to a denominator in the direction of its sign, as zennit does by default. */
export const EPSILON = 1e-6;

/**
 * The ε rule on every layer, as zennit defines it: relevance is shared in proportion to x·w, the bias takes its part, and
 * denominators are moved away from 0 by 10⁻⁶. Batch normalisation is merged into the convolutions first. Means and sums
 * share in proportion; max pooling hands all to the maximum. Starts from 1 at the target.
 */
export const epsilon: Rule = {
  name: 'epsilon',
  source: 'Bach et al. 2015, "On Pixel-Wise Explanations", PLOS ONE 10(7), eq. 58; stabiliser as in zennit',
  mergeBatchNorm: true,
  start: oneHot,
  ops: {
    ...routing,
    Conv: epsilonLinear,
    Gemm: epsilonLinear,
    MatMul: epsilonLinear,
    BatchNormalization: pass,
    Relu: pass,
    LeakyRelu: pass,
    Clip: pass,
    Sigmoid: pass,
    HardSigmoid: pass,
    HardSwish: pass,
    Add: shareSum,
    Sum: shareSum,
    Sub: shareSum,
    Mul: signalTakesAll,
    Div: signalTakesAll,
    MaxPool: (step) => [maxPoolBack(step, step.arrived)],
    GlobalMaxPool: (step) => [maxPoolBack(step, step.arrived)],
    AveragePool: shareMean,
    GlobalAveragePool: shareMean,
    ReduceMean: shareMean,
  },
};

/** R_in = x · Wᵀ(R/(Wx + b ± ε)) */
export function epsilonLinear(step: Step): (Resident | null)[] {
  const map = linearMap(step);
  const ratio = stabilised(step, step.arrived, map.apply(map.input, map.weights, map.bias), EPSILON);
  return [times(step, map.input, map.back(ratio, map.weights))];
}

/** Each summand a of out gets a·R/(out ± ε), also a constant one, whose part is lost. */
function shareSum(step: Step): (Resident | null)[] {
  const ratio = stabilised(step, step.arrived, step.output, EPSILON);
  return step.wanted.map((wanted, index) => {
    if (!wanted) return null;
    const negated = step.node.op === 'Sub' && index === 1;
    const summand = negated ? scaled(step, step.input(index), -1) : step.input(index);
    return sumLike(step, times(step, summand, ratio), index);
  });
}

function shareMean(step: Step): (Resident | null)[] {
  const ratio = stabilised(step, asPooled(step, step.arrived), asPooled(step, step.output), EPSILON);
  return [times(step, step.input(0), averageBack(step, ratio))];
}
