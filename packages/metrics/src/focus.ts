import { defineMetric } from './define-metric.ts';
import { type Located, locate, noCost } from './localisation.ts';

/**
 * In a mosaic of four images, the share of positive relevance on those of the target class.
 *
 *     Σ over the mask of [a]₊ / (Σ [a]₊ + 10⁻⁹)
 *
 * In 0 … 1. The mask is one on whole quadrants, which meet at ⌊H/2⌋ and ⌊W/2⌋; another mask has no score.
 *
 * @source Arias-Duart et al. 2022, arXiv 2109.15035, eq. 1; spec 2.6
 */
export const focus = defineMetric<object>({
  name: 'focus',
  title: 'Focus',
  category: 'localisation',
  better: 'higher',
  source: 'Arias-Duart et al. 2022, arXiv 2109.15035',
  defaults: {},
  needs: ['mask'],
  check() {},
  cost: () => noCost,
  measure: async (subject) => locate(subject, { absolute: false }, share),
});

function share(located: Located): number | string {
  if (!isMosaic(located)) return 'The mask is not made of quadrants: focus needs a mosaic of four images.';
  const { values, inside } = located;
  let found = 0;
  let total = 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    const relevance = Math.max(values[pixel], 0);
    found += inside[pixel] * relevance;
    total += relevance;
  }
  return found / (total + 1e-9);
}

/** Whether every pixel is in or out as the first of its quadrant is. */
function isMosaic({ inside, height, width }: Located): boolean {
  const [middle, centre] = [Math.floor(height / 2), Math.floor(width / 2)];
  for (let pixel = 0; pixel < inside.length; pixel++) {
    const row = Math.floor(pixel / width) < middle ? 0 : middle;
    const column = pixel % width < centre ? 0 : centre;
    if (inside[pixel] !== inside[row * width + column]) return false;
  }
  return true;
}
