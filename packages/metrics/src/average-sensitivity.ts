import { meanOf } from './curve.ts';
import { defineMetric } from './define-metric.ts';
import { checkSensitivity, type SensitivityOptions, sensitivities, sensitivityDefaults } from './sensitivity.ts';

/**
 * How far the map moves under small uniform noise on average, relative to the map.
 *
 *     mean over noisy x′ of ‖E(x) − E(x′)‖₂ / ‖E(x)‖₂,  x′ = x + U(−radius, radius) for each number of x
 *
 * From 0. Detail: the ratio of each noisy copy. The paper does not divide by the map's norm: `relative: false`.
 *
 * @source Yeh et al. 2019, arXiv 1901.09392, section 4; spec 2.6; defaults of Quantus
 */
export const averageSensitivity = defineMetric<SensitivityOptions>({
  name: 'average-sensitivity',
  title: 'Average sensitivity',
  category: 'robustness',
  better: 'lower',
  source: 'Yeh et al. 2019, arXiv 1901.09392',
  defaults: sensitivityDefaults,
  needs: ['explain'],
  check(options) {
    checkSensitivity(this.name, options);
  },
  cost: ({ samples }) => ({ forwards: 0, explanations: samples, shared: {} }),
  async measure(subject, options) {
    const ratios = await sensitivities(subject, options);
    return { value: meanOf(ratios), detail: { ratios } };
  },
});
