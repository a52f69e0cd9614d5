import {
  checkNoiseOptions,
  distance,
  type NoiseOptions,
  noisyCopies,
  scaledAlone,
  uniformNoise,
} from './noisy-maps.ts';
import { extentOf } from './normalise.ts';
import { requireNumber } from './options.ts';
import type { Subject } from './types.ts';

/** Options of maximum and average sensitivity. */
export interface SensitivityOptions extends NoiseOptions {
  /** Noise is uniform in ±radius, in the units of the network's input. */
  readonly radius: number;
}

/** Quantus's defaults; captum's are a radius of 0.02 and 10 samples. */
export const sensitivityDefaults: SensitivityOptions = {
  samples: 200,
  radius: 0.2,
  normalise: 'none',
  absolute: false,
};

/** @throws RangeError naming option, value and range */
export function checkSensitivity(metric: string, options: SensitivityOptions): void {
  checkNoiseOptions(metric, options);
  requireNumber(metric, 'radius', options.radius, 0);
}

/**
 * How far the map moves under noise, relative to the map, for each noisy copy x′ of the image:
 *
 *     ‖E(x) − E(x′)‖₂ / ‖E(x)‖₂
 *
 * The map must not be all zero.
 */
export async function sensitivities(subject: Subject, options: SensitivityOptions): Promise<number[]> {
  const map = scaledAlone(subject.map, options);
  const size = Math.sqrt(extentOf([map]).squares);
  const ratios: number[] = [];
  for await (const copies of noisyCopies(subject, options, uniformNoise(-options.radius, options.radius))) {
    for (const copy of copies) ratios.push(distance(map, copy.map) / size);
  }
  return ratios;
}
