import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';
import { requireNumber } from './options.ts';

/** Options of `effectiveComplexity`. */
export interface EffectiveComplexityOptions extends MapOptions {
  /** Relevance counts where its magnitude, after scaling, is larger. */
  readonly eps: number;
}

/**
 * How many pixels have any relevance to speak of: those whose magnitude exceeds `eps`. A whole number in 0 … H·W.
 *
 * @source Nguyen and Martínez 2020, arXiv 2007.07584 (there the fewest features that keep the prediction);
 * spec 2.6: the threshold and the defaults are those of Quantus
 */
export const effectiveComplexity = defineMetric<EffectiveComplexityOptions>({
  name: 'effective-complexity',
  title: 'Effective complexity',
  category: 'complexity',
  better: 'lower',
  source: 'Nguyen & Martínez 2020, arXiv 2007.07584',
  defaults: { ...mapDefaults, absolute: true, eps: 1e-5 },
  needs: [],
  check(options) {
    checkMapOptions(this.name, options);
    requireNumber(this.name, 'eps', options.eps, 0);
  },
  cost: () => ({ forwards: 0, explanations: 0, shared: {} }),
  async measure(subject, options) {
    const { data } = subjectMap(subject, options);
    let count = 0;
    for (const value of data) if (Math.abs(value) > options.eps) count++;
    return { value: count };
  },
});
