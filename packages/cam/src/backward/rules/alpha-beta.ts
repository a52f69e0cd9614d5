import type { Resident } from '@cambium/gpu-kernels';
import { above, below, plus, scaled, stabilised, times } from '../arithmetic.ts';
import { type LinearMap, linearMap } from '../linear-map.ts';
import type { Rule, Step } from '../rule.ts';
import { EPSILON, epsilon } from './epsilon.ts';

const ALPHA = 2;
const BETA = 1;

/**
 * The αβ rule (α = 2, β = 1) on convolutions and the ε rule elsewhere, zennit's composite EpsilonAlpha2Beta1: what speaks
 * for the target counts twice, what speaks against it is taken off once.
 */
export const alphaBeta: Rule = {
  ...epsilon,
  name: 'alphaBeta',
  source: 'Bach et al. 2015, "On Pixel-Wise Explanations", PLOS ONE 10(7), eq. 60; composite as in zennit',
  ops: { ...epsilon.ops, Conv: alphaBetaConvolution },
};

/**
 * z⁺ on convolutions and the ε rule elsewhere, zennit's composite EpsilonPlus: the αβ rule with α = 1, β = 0. Unlike
 * Relevance-CAM's `zPlus` the positive part of the (merged) bias takes its share.
 */
export const epsilonPlus: Rule = {
  ...epsilon,
  name: 'epsilonPlus',
  source: 'Montavon et al. 2017, "Deep Taylor Decomposition", eq. 15; composite as in zennit',
  ops: { ...epsilon.ops, Conv: (step) => [positiveShare(step, linearMap(step))] },
};

function alphaBetaConvolution(step: Step): (Resident | null)[] {
  const map = linearMap(step);
  const forIt = scaled(step, positiveShare(step, map), ALPHA);
  return [plus(step, forIt, scaled(step, negativeShare(step, map), -BETA))];
}

/** Shares by x⁺w⁺ + x⁻w⁻ + b⁺. */
function positiveShare(step: Step, map: LinearMap): Resident {
  return share(step, map, above(step, map.weights), below(step, map.weights), map.bias && above(step, map.bias));
}

/** Shares by x⁺w⁻ + x⁻w⁺ + b⁻. */
function negativeShare(step: Step, map: LinearMap): Resident {
  return share(step, map, below(step, map.weights), above(step, map.weights), map.bias && below(step, map.bias));
}

/** x⁺·Wₕᵀ(R/z) + x⁻·Wₗᵀ(R/z) with z = Wₕx⁺ + Wₗx⁻ + b; the second half is 0 for inputs that cannot be negative. */
function share(step: Step, map: LinearMap, forHigh: Resident, forLow: Resident, bias: Resident | null): Resident {
  if (step.nonNegative[0]) {
    const ratio = stabilised(step, step.arrived, map.apply(map.input, forHigh, bias), EPSILON);
    return times(step, map.input, map.back(ratio, forHigh));
  }
  const [high, low] = [above(step, map.input), below(step, map.input)];
  const total = plus(step, map.apply(high, forHigh, bias), map.apply(low, forLow, null));
  const ratio = stabilised(step, step.arrived, total, EPSILON);
  return plus(step, times(step, high, map.back(ratio, forHigh)), times(step, low, map.back(ratio, forLow)));
}
