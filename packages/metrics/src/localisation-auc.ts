import { defineMetric } from './define-metric.ts';
import { checkLocalisation, type LocalisationOptions, type Located, locate, noCost } from './localisation.ts';
import { meanRanks } from './statistics/rank.ts';

/**
 * How well relevance tells the object from its surroundings: the area under the ROC curve, which is the chance that a
 * pixel of the object is more relevant than one outside, counting equal ones half.
 *
 *     (Σ ranks inside − s(s+1)/2) / (s · (n − s)),  s: pixels of the mask, n = H·W
 *
 * In 0 … 1; 0.5 is chance. A mask that is empty or covers the image has no score.
 *
 * @source Fawcett 2006, Pattern Recognition Letters 27; spec 2.6; defaults of Quantus's AUC
 */
export const localisationAuc = defineMetric<LocalisationOptions>({
  name: 'localisation-auc',
  title: 'Localisation AUC',
  category: 'localisation',
  better: 'higher',
  source: 'Fawcett 2006, Pattern Recognition Letters 27',
  defaults: { absolute: false },
  needs: ['mask'],
  check(options) {
    checkLocalisation(this.name, options);
  },
  cost: () => noCost,
  measure: async (subject, options) => locate(subject, options, area),
});

function area({ values, inside, size }: Located): number | string {
  const outside = values.length - size;
  if (outside === 0) return 'The mask covers the image: there is nothing to tell the object from.';
  const ranks = meanRanks(values);
  let sum = 0;
  for (let pixel = 0; pixel < values.length; pixel++) sum += inside[pixel] * ranks[pixel];
  return (sum - (size * (size + 1)) / 2) / (size * outside);
}
