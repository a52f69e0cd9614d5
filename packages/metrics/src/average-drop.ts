import { defineMetric } from './define-metric.ts';
import { maskImage } from './masked-image.ts';
import { imageCost } from './outputs.ts';

/**
 * How much of its confidence the network loses when it sees only what the map shows, in percent.
 *
 *     100 · [p(x) − p(x ⊙ m)]₊ / p(x),  m: positive part of the map over its maximum, p: probability of the target
 *
 * In 0 … 100; the mean over images is the paper's Average Drop %. Detail: both probabilities. pytorch-grad-cam's
 * DropInConfidence is not divided by p(x).
 *
 * @source Chattopadhyay et al. 2018, Grad-CAM++, arXiv 1710.11063, section 5.1; spec 3.4
 */
export const averageDrop = defineMetric<object>({
  name: 'average-drop',
  title: 'Average drop %',
  category: 'faithfulness',
  better: 'lower',
  source: 'Chattopadhyay et al. 2018, arXiv 1710.11063',
  defaults: {},
  needs: ['predict'],
  check() {},
  cost: () => ({ forwards: 1, explanations: 0, shared: imageCost }),
  async measure(subject) {
    const { before, after } = await maskImage(subject);
    if (before === 0) return { value: null, reason: 'The probability of the target is 0: there is nothing to lose.' };
    return { value: (100 * Math.max(before - after, 0)) / before, detail: { before, after } };
  },
});
