/**
 * Checks of options, each naming metric, option, value and range.
 */

/** @throws RangeError unless the value is a whole number in [low, high] */
export function requireWhole(metric: string, option: string, value: number, low: number, high = Infinity): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  const range = high === Infinity ? `from ${low}` : `in [${low}, ${high}]`;
  throw new RangeError(`${metric} expected ${option} to be a whole number ${range}, got ${show(value)}.`);
}

/** @throws RangeError unless the value is a number in [low, high] */
export function requireNumber(metric: string, option: string, value: number, low: number, high = Infinity): void {
  if (Number.isFinite(value) && value >= low && value <= high) return;
  const range = high === Infinity ? `from ${low}` : `in [${low}, ${high}]`;
  throw new RangeError(`${metric} expected ${option} to be a number ${range}, got ${show(value)}.`);
}

/** @throws RangeError unless the value is one of the choices */
export function requireChoice(metric: string, option: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`${metric} expected ${option} to be one of ${choices.join(', ')}, got ${String(value)}.`);
}

// a text that looks like a number is told from one
function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
