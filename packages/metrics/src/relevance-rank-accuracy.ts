import { defineMetric } from './define-metric.ts';
import { checkLocalisation, countInside, type LocalisationOptions, locate, noCost } from './localisation.ts';
import { ordered } from './order.ts';

/**
 * Of as many pixels as the object has, the most relevant ones, the share that lies on the object.
 *
 *     |first s pixels in descending order ∩ mask| / s,  s: pixels of the mask
 *
 * In 0 … 1. Equal relevance keeps row-major order. An empty mask has no score.
 *
 * @source Arras et al. 2022, arXiv 2003.07258, eq. 3; spec 2.6; defaults of Quantus
 */
export const relevanceRankAccuracy = defineMetric<LocalisationOptions>({
  name: 'relevance-rank-accuracy',
  title: 'Relevance rank accuracy',
  category: 'localisation',
  better: 'higher',
  source: 'Arras et al. 2022, arXiv 2003.07258',
  defaults: { absolute: false },
  needs: ['mask'],
  check(options) {
    checkLocalisation(this.name, options);
  },
  cost: () => noCost,
  measure: async (subject, options) =>
    locate(
      subject,
      options,
      ({ values, inside, size }) => countInside(ordered(values, 'descending'), size, inside) / size,
    ),
});
