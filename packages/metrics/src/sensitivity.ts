import {
  checkNoiseOptions,
  distance,
  type NoiseOptions,
  noisyCopies,
  scaledAlone,
  uniformNoise,
} from './noisy-maps.ts';
import { plusSquares } from './normalise.ts';
import { requireChoice, requireNumber } from './options.ts';
import type { Subject } from './types.ts';

/** Options of maximum and average sensitivity. */
export interface SensitivityOptions extends NoiseOptions {
  /** Noise is uniform in ±radius, in the units of the network's input. */
  readonly radius: number;
  /** Whether distances are divided by the map's norm, as Quantus does; the paper takes them as they are. */
  readonly relative: boolean;
}

/** Quantus's defaults; captum's are a radius of 0.02 and 10 samples. */
export const sensitivityDefaults: SensitivityOptions = {
  samples: 200,
  radius: 0.2,
  relative: true,
  normalise: 'none',
  absolute: false,
};

/** @throws RangeError naming option, value and range */
export function checkSensitivity(metric: string, options: SensitivityOptions): void {
  checkNoiseOptions(metric, options);
  requireNumber(metric, 'radius', options.radius, 0);
  requireChoice(metric, 'relative', options.relative, [true, false]);
}

/**
 * How far the map moves under noise, relative to the map unless the options say otherwise, for each noisy copy x′ of the
 * image:
 *
 *     ‖E(x) − E(x′)‖₂ / ‖E(x)‖₂
 *
 * The map must not be all zero.
 */
export async function sensitivities(subject: Subject, options: SensitivityOptions): Promise<number[]> {
  const map = scaledAlone(subject.map, options);
  const size = options.relative ? Math.sqrt(plusSquares(0, map.data)) : 1;
  const ratios: number[] = [];
  for await (const { copies } of noisyCopies(subject, options, uniformNoise(-options.radius, options.radius))) {
    for (const copy of copies) ratios.push(distance(map, copy.map) / size);
  }
  return ratios;
}
