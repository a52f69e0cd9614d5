import { pearson } from './correlation.ts';
import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { explainEach } from './explanations.ts';
import { maskImage } from './masked-image.ts';
import { imageCost } from './outputs.ts';

/**
 * Average drop, coherency and complexity in one number: their harmonic mean.
 *
 *     m: positive part of the map over its maximum, p: probability of the target
 *     drop = [p(x) − p(x ⊙ m)]₊ / p(x)    complexity = Σ m / (H·W)    coherency = (Pearson(m, E(x ⊙ m)) + 1) / 2
 *     score = 3 / (1/coherency + 1/(1 − complexity) + 1/(1 − drop))
 *
 * In 0 … 1. Where there is no correlation, coherency is 0; where a part is 0, so is the score. Detail: the three parts.
 *
 * @source Poppi et al. 2021, arXiv 2104.10252; spec 3.4
 */
export const adcc = defineMetric<object>({
  name: 'adcc',
  title: 'ADCC',
  category: 'faithfulness',
  better: 'higher',
  source: 'Poppi et al. 2021, arXiv 2104.10252',
  defaults: {},
  needs: ['predict', 'explain'],
  check() {},
  cost: () => ({ forwards: 1, explanations: 1, shared: imageCost }),
  async measure(subject) {
    const { mask, image, before, after } = await maskImage(subject);
    if (before === 0) return { value: null, reason: 'The probability of the target is 0: there is nothing to lose.' };
    let correlation = Number.NaN;
    await explainEach(subject, {
      count: 1,
      write: (_, pixels) => pixels.set(image.data),
      visit: (_, map) => {
        correlation = pearson(mask.data, map.data);
      },
    });
    const drop = Math.max(before - after, 0) / before;
    const complexity = meanOf(mask.data);
    const coherency = Number.isNaN(correlation) ? 0 : (correlation + 1) / 2;
    return { value: harmonicMean([coherency, 1 - complexity, 1 - drop]), detail: { drop, complexity, coherency } };
  },
});

/** 0 where a part is 0. */
function harmonicMean(parts: readonly number[]): number {
  if (parts.some((part) => part <= 0)) return 0;
  return parts.length / parts.reduce((sum, part) => sum + 1 / part, 0);
}
