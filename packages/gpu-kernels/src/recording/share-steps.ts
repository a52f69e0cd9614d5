import type { AnyKernel } from '../kernel.ts';
import { mapNamed } from '../named.ts';
import type { RecordedStep, RecordedValue } from './recording-engine.ts';

/**
 * Lets a recording compute a value once that it would compute several times: runs of one kernel on the same values with the same
 * options become one. A dense block needs it: each of its layers joins all that came before.
 *
 * @returns the steps that stay, and the values that stand for the outputs
 */
export function shareSteps(
  recorded: readonly RecordedStep[],
  outputs: readonly RecordedValue[],
): { readonly steps: readonly RecordedStep[]; readonly outputs: readonly RecordedValue[] } {
  const numbers = new Map<AnyKernel | RecordedValue, number>();
  const numberOf = (item: AnyKernel | RecordedValue): number => {
    const known = numbers.get(item) ?? numbers.size;
    numbers.set(item, known);
    return known;
  };
  const instead = new Map<RecordedValue, RecordedValue>();
  const shared = (value: RecordedValue) => instead.get(value) ?? value;
  const made = new Map<string, RecordedValue>();
  const steps: RecordedStep[] = [];
  for (const { kernel, inputs, options, output } of recorded) {
    const own = mapNamed(kernel.inputs as readonly string[], (name) => shared(inputs[name]));
    const key = JSON.stringify([numberOf(kernel), Object.values(own).map(numberOf), options], keepInfinities);
    const earlier = made.get(key);
    if (earlier) {
      instead.set(output, earlier);
      continue;
    }
    made.set(key, output);
    steps.push({ kernel, inputs: own, options, output });
  }
  return { steps, outputs: outputs.map(shared) };
}

/** JSON has no infinite numbers, and clips have them as bounds. */
function keepInfinities(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
