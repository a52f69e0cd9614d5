import { defineMetric } from './define-metric.ts';
import { checkLocalisation, type LocalisationOptions, type Located, locate, noCost } from './localisation.ts';

/**
 * The share of all relevance that lies on the object.
 *
 *     Σ over the mask of a / Σ a
 *
 * In 0 … 1 for maps without negative values; with them any number, and none where they cancel. An empty mask has no score.
 *
 * @source Arras et al. 2022, arXiv 2003.07258, eq. 2; spec 2.6; defaults of Quantus
 */
export const relevanceMassAccuracy = defineMetric<LocalisationOptions>({
  name: 'relevance-mass-accuracy',
  title: 'Relevance mass accuracy',
  category: 'localisation',
  better: 'higher',
  source: 'Arras et al. 2022, arXiv 2003.07258',
  defaults: { absolute: false },
  needs: ['mask'],
  check(options) {
    checkLocalisation(this.name, options);
  },
  cost: () => noCost,
  measure: async (subject, options) => locate(subject, options, share),
});

function share({ values, inside }: Located): number | string {
  let found = 0;
  let total = 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    found += inside[pixel] * values[pixel];
    total += values[pixel];
  }
  return total === 0 ? 'The relevance of all pixels adds up to 0: it has no shares.' : found / total;
}
