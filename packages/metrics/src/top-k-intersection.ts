import { defineMetric } from './define-metric.ts';
import { checkLocalisation, countInside, type LocalisationOptions, locate, noCost } from './localisation.ts';
import { requireChoice, requireWhole } from './options.ts';
import { ordered } from './order.ts';

/** Options of `topKIntersection`. */
export interface TopKIntersectionOptions extends LocalisationOptions {
  /** Most relevant pixels to look at; all of them where the image has fewer. */
  readonly k: number;
  /** Whether the share is divided by the object's share of the image: above 1 is better than chance. */
  readonly conceptInfluence: boolean;
}

/**
 * Of the k most relevant pixels, the share that lies on the object.
 *
 *     |first k pixels in descending order ∩ mask| / k    with conceptInfluence times H·W / pixels of the mask
 *
 * In 0 … 1, with `conceptInfluence` above 1, too. Equal relevance keeps row-major order. An empty mask has no score.
 *
 * @source Theiner et al. 2022, arXiv 2104.14995; spec 2.6; defaults of Quantus
 */
export const topKIntersection = defineMetric<TopKIntersectionOptions>({
  name: 'top-k-intersection',
  title: 'Top-k intersection',
  category: 'localisation',
  better: 'higher',
  source: 'Theiner et al. 2022, arXiv 2104.14995',
  defaults: { absolute: false, k: 1000, conceptInfluence: false },
  needs: ['mask'],
  check(options) {
    checkLocalisation(this.name, options);
    requireWhole(this.name, 'k', options.k, 1);
    requireChoice(this.name, 'conceptInfluence', options.conceptInfluence, [true, false]);
  },
  cost: () => noCost,
  measure: async (subject, options) =>
    locate(subject, options, ({ values, inside, size }) => {
      const count = Math.min(options.k, values.length);
      const share = countInside(ordered(values, 'descending'), count, inside) / count;
      return options.conceptInfluence ? (share * values.length) / size : share;
    }),
});
