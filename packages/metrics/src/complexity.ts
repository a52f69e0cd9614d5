import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';

/**
 * How many pixels the relevance is spread over: the entropy of the map seen as a distribution.
 *
 *     p = a / Σ|a|,  score = −Σ p ln(p + 10⁻¹²)    in [0, ln(H·W)]
 *
 * Natural logarithm. Scaling a map changes nothing, adding to it does: so maps to be compared must be normalised alike.
 * With `absolute: false` a map that holds negative relevance has no score, for the logarithm is undefined there.
 *
 * @source Bhatt et al. 2020, arXiv 2005.00631, eq. 3; spec 2.3; defaults of Quantus
 */
export const complexity = defineMetric<MapOptions>({
  name: 'complexity',
  title: 'Complexity',
  category: 'complexity',
  better: 'lower',
  source: 'Bhatt et al. 2020, arXiv 2005.00631',
  defaults: { ...mapDefaults, absolute: true },
  needs: [],
  check(options) {
    checkMapOptions(this.name, options);
  },
  cost: () => ({ forwards: 0, explanations: 0, shared: {} }),
  async measure(subject, options) {
    const { data } = subjectMap(subject, options);
    let total = 0;
    for (const value of data) {
      if (value < 0) {
        return { value: null, reason: 'complexity needs a map without negative relevance; set absolute to true.' };
      }
      total += value;
    }
    let entropy = 0;
    for (const value of data) entropy -= (value / total) * Math.log(value / total + 1e-12);
    return { value: entropy };
  },
});
