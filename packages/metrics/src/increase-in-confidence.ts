import { defineMetric } from './define-metric.ts';
import { maskImage } from './masked-image.ts';
import { imageCost } from './outputs.ts';

/**
 * Whether the network is more confident when it sees only what the map shows, in percent of images.
 *
 *     100 if p(x ⊙ m) > p(x), else 0,  m: positive part of the map over its maximum, p: probability of the target
 *
 * The mean over images is the paper's % Increase in Confidence. Detail: both probabilities.
 *
 * @source Chattopadhyay et al. 2018, Grad-CAM++, arXiv 1710.11063, section 5.1; spec 3.4
 */
export const increaseInConfidence = defineMetric<object>({
  name: 'increase-in-confidence',
  title: 'Increase in confidence %',
  category: 'faithfulness',
  better: 'higher',
  source: 'Chattopadhyay et al. 2018, arXiv 1710.11063',
  defaults: {},
  needs: ['predict'],
  check() {},
  cost: () => ({ forwards: 1, explanations: 0, shared: imageCost }),
  async measure(subject) {
    const { before, after } = await maskImage(subject);
    return { value: after > before ? 100 : 0, detail: { before, after } };
  },
});
