import { defineMetric } from './define-metric.ts';
import { checkNoiseOptions, distance, type NoiseOptions, noisyCopies, normalNoise, scaledAlone } from './noisy-maps.ts';
import { requireNumber } from './options.ts';

/** Options of `localLipschitzEstimate`. */
export interface LocalLipschitzOptions extends NoiseOptions {
  /** Standard deviation of the normal noise, in the units of the network's input. */
  readonly deviation: number;
}

/**
 * The steepest that the map changes with the image: the largest quotient of their changes under normal noise.
 *
 *     max over noisy x′ of ‖E(x) − E(x′)‖₂ / (‖x − x′‖₂ + 10⁻¹⁰),  x′ = x + N(0, deviation²) for each number of x
 *
 * From 0, per unit of the network's input. Each map is scaled by itself first. Detail: the quotient of each noisy copy.
 *
 * @source Alvarez-Melis and Jaakkola 2018, arXiv 1806.08049, eq. 2 (there over all x′ within a distance, and maps as
 * they are: `normalise: 'none'`); spec 2.6; defaults of Quantus
 */
export const localLipschitzEstimate = defineMetric<LocalLipschitzOptions>({
  name: 'local-lipschitz-estimate',
  title: 'Local Lipschitz estimate',
  category: 'robustness',
  better: 'lower',
  source: 'Alvarez-Melis & Jaakkola 2018, arXiv 1806.08049',
  defaults: { samples: 200, deviation: 0.1, normalise: 'max', absolute: false },
  needs: ['explain'],
  check(options) {
    checkNoiseOptions(this.name, options);
    requireNumber(this.name, 'deviation', options.deviation, 0);
  },
  cost: ({ samples }) => ({ forwards: 0, explanations: samples, shared: {} }),
  async measure(subject, options) {
    const map = scaledAlone(subject.map, options);
    const quotients: number[] = [];
    for await (const { copies } of noisyCopies(subject, options, normalNoise(options.deviation))) {
      for (const copy of copies) {
        // the noise is 0 where the deviation is
        quotients.push(distance(map, copy.map) / (distance(subject.image, copy.image) + 1e-10));
      }
    }
    return { value: Math.max(...quotients), detail: { quotients } };
  },
});
