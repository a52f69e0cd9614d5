import { defineMetric } from './define-metric.ts';
import { checkLocalisation, type LocalisationOptions, type Located, locate, noCost } from './localisation.ts';
import { requireNumber } from './options.ts';

/** Options of `pointingGame`. */
export interface PointingGameOptions extends LocalisationOptions {
  /** A miss by at most so many pixels counts as a hit. */
  readonly tolerance: number;
}

/**
 * Whether the map's largest value lies on the object: 1 or 0. Of several largest values one hit is enough.
 *
 * An empty mask has no score; Quantus scores it as a hit.
 *
 * @source Zhang et al. 2018, arXiv 1608.00507, section 4.2 (there with a `tolerance` of 15 pixels); spec 2.6; defaults of
 * Quantus
 */
export const pointingGame = defineMetric<PointingGameOptions>({
  name: 'pointing-game',
  title: 'Pointing game',
  category: 'localisation',
  better: 'higher',
  source: 'Zhang et al. 2018, arXiv 1608.00507',
  defaults: { absolute: false, tolerance: 0 },
  needs: ['mask'],
  check(options) {
    checkLocalisation(this.name, options);
    requireNumber(this.name, 'tolerance', options.tolerance, 0);
  },
  cost: () => noCost,
  measure: async (subject, options) =>
    locate(subject, options, (located) => (hits(located, options.tolerance) ? 1 : 0)),
});

function hits(located: Located, tolerance: number): boolean {
  const { values, width } = located;
  let largest = values[0];
  for (const value of values) largest = Math.max(largest, value);
  for (let pixel = 0; pixel < values.length; pixel++) {
    if (values[pixel] === largest && touches(located, pixel % width, Math.floor(pixel / width), tolerance)) return true;
  }
  return false;
}

/** Whether the object comes within the tolerance of a pixel. */
function touches({ inside, height, width }: Located, x: number, y: number, tolerance: number): boolean {
  const reach = Math.floor(tolerance);
  for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach); row++) {
    for (let column = Math.max(0, x - reach); column <= Math.min(width - 1, x + reach); column++) {
      if (inside[row * width + column] && Math.hypot(row - y, column - x) <= tolerance) return true;
    }
  }
  return false;
}
