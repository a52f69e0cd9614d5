import { requireProbability } from './values.ts';

/**
 * Holm's correction: p-values of several tests, adjusted so that the chance of even one false alarm among all stays
 * below the level at which they are read.
 *
 *     p₍₁₎ ≤ … ≤ p₍ₘ₎  →  adjusted p₍ᵢ₎ = min(1, max over j ≤ i of (m − j + 1)·p₍ⱼ₎), in the order given
 *
 * @throws RangeError when a p-value is outside [0, 1]
 * @source Holm 1979, Scandinavian Journal of Statistics 6
 */
export function holm(pValues: readonly number[]): number[] {
  for (const value of pValues) if (value !== 0 && value !== 1) requireProbability('holm', 'p-values', value);
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a] - pValues[b] || a - b);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((test, position) => {
    largest = Math.max(largest, (pValues.length - position) * pValues[test]);
    adjusted[test] = Math.min(1, largest);
  });
  return adjusted;
}
