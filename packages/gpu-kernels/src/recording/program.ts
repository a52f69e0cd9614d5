import type { Engine, Resident } from '../engine.ts';
import { mapNamed } from '../named.ts';
import type { RecordedStep, RecordedValue } from './recording-engine.ts';

/** A recording made ready to run: what its steps need, in order, and when each value is needed no more. */
export interface Program {
  /**
   * Runs the steps on an engine and frees every value after its last use.
   *
   * @param known the inputs and constants, which are not freed
   * @returns the outputs, in their order; whoever runs the program releases them
   */
  run(engine: Engine, known: ReadonlyMap<RecordedValue, Resident>): Resident[];
  /** Values that must be known: inputs and constants that steps or outputs need. */
  readonly needs: readonly RecordedValue[];
  readonly steps: readonly RecordedStep[];
}

/**
 * Orders memory for a recording. Steps that no output needs are left out; a value lives from the step that makes it to the
 * last one that reads it, so an engine that reuses memory by size holds no more than what is alive at once.
 */
export function programOf(recorded: readonly RecordedStep[], outputs: readonly RecordedValue[]): Program {
  const steps = neededSteps(recorded, outputs);
  const kept = new Set(outputs);
  const made = new Set(steps.map(({ output }) => output));
  const lastUse = new Map<RecordedValue, number>();
  steps.forEach(({ kernel, inputs }, index) => {
    for (const name of kernel.inputs) lastUse.set(inputs[name], index);
  });
  const freed: RecordedValue[][] = steps.map(() => []);
  for (const [value, index] of lastUse) if (made.has(value) && !kept.has(value)) freed[index].push(value);
  const needs = [...new Set([...lastUse.keys(), ...outputs])].filter((value) => !made.has(value));

  function run(engine: Engine, known: ReadonlyMap<RecordedValue, Resident>): Resident[] {
    const alive = new Map<RecordedValue, Resident>(known);
    const find = (value: RecordedValue): Resident => {
      const resident = alive.get(value);
      if (resident) return resident;
      throw new TypeError(`A program was run without a value of shape [${value.shape.join(', ')}] that it needs.`);
    };
    const mine: Resident[] = [];
    try {
      steps.forEach(({ kernel, inputs, options, output }, index) => {
        const residents = mapNamed(kernel.inputs as readonly string[], (name) => find(inputs[name]));
        const result = engine.run(kernel, residents, options);
        alive.set(output, result);
        mine.push(result);
        for (const value of freed[index]) engine.release(find(value));
      });
    } catch (error) {
      engine.release(...mine);
      throw error;
    }
    return outputs.map(find);
  }

  return { run, needs, steps };
}

function neededSteps(steps: readonly RecordedStep[], outputs: readonly RecordedValue[]): RecordedStep[] {
  const needed = new Set(outputs);
  const kept: RecordedStep[] = [];
  for (const step of steps.toReversed()) {
    if (!needed.has(step.output)) continue;
    kept.push(step);
    for (const name of step.kernel.inputs) needed.add(step.inputs[name]);
  }
  return kept.reverse();
}
