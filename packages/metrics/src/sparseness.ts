import { defineMetric } from './define-metric.ts';
import { checkMapOptions, type MapOptions, mapDefaults, subjectMap } from './normalise.ts';

/**
 * How unequally relevance is spread: the Gini index of the map's magnitudes.
 *
 *     a₍₁₎ ≤ … ≤ a₍ₙ₎: magnitudes + 10⁻⁷, in order    score = Σᵢ (2i − n − 1) a₍ᵢ₎ / (n Σ a)
 *
 * From 0 (the same everywhere) to 1 − 1/n (one pixel has it all).
 *
 * @source Chalasani et al. 2020, arXiv 1810.06583, section 3; spec 2.6; defaults of Quantus
 */
export const sparseness = defineMetric<MapOptions>({
  name: 'sparseness',
  title: 'Sparseness',
  category: 'complexity',
  better: 'higher',
  source: 'Chalasani et al. 2020, arXiv 1810.06583',
  defaults: { ...mapDefaults, absolute: true },
  needs: [],
  check(options) {
    checkMapOptions(this.name, options);
  },
  cost: () => ({ forwards: 0, explanations: 0, shared: {} }),
  measure: async (subject, options) => ({ value: gini(subjectMap(subject, options).data) }),
});

function gini(values: Float32Array): number {
  const sizes = new Float64Array(values.length);
  for (let index = 0; index < sizes.length; index++) sizes[index] = Math.abs(values[index]) + 1e-7; // the sum is not 0
  sizes.sort();
  let weighted = 0;
  let sum = 0;
  for (let index = 0; index < sizes.length; index++) {
    weighted += (2 * (index + 1) - sizes.length - 1) * sizes[index];
    sum += sizes[index];
  }
  return weighted / (sizes.length * sum);
}
