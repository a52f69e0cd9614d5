import type { RecordedStep, RecordedValue } from './recording-engine.ts';

/** The values of a recording that are the same in every run: constants, and what steps make of nothing but constants. */
export function constantValues(steps: readonly RecordedStep[]): ReadonlySet<RecordedValue> {
  const known = new Set<RecordedValue>();
  const isConstant = (value: RecordedValue): boolean => value.constant !== undefined || known.has(value);
  for (const { kernel, inputs, output } of steps) {
    const read = (kernel.inputs as readonly string[]).map((name) => inputs[name]);
    for (const value of read) if (isConstant(value)) known.add(value);
    if (read.every(isConstant)) known.add(output);
  }
  return known;
}
