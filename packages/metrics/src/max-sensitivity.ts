import { defineMetric } from './define-metric.ts';
import { checkSensitivity, type SensitivityOptions, sensitivities, sensitivityDefaults } from './sensitivity.ts';

/**
 * The furthest that the map moves under small uniform noise, relative to the map.
 *
 *     max over noisy x′ of ‖E(x) − E(x′)‖₂ / ‖E(x)‖₂,  x′ = x + U(−radius, radius) for each number of x
 *
 * From 0. Detail: the ratio of each noisy copy. The paper does not divide by the map's norm: `relative: false`.
 *
 * @source Yeh et al. 2019, arXiv 1901.09392, definition 2; spec 2.6; defaults of Quantus
 */
export const maxSensitivity = defineMetric<SensitivityOptions>({
  name: 'max-sensitivity',
  title: 'Max sensitivity',
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
    return { value: Math.max(...ratios), detail: { ratios } };
  },
});
