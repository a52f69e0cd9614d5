import {
  mapNamed,
  type RecordedStep,
  type RecordedValue,
  type Resident,
  type Tensor,
  type WebgpuEngine,
} from '@cambium/gpu-kernels';
import type { Graph } from '../onnx/graph.ts';

/** Constants of recordings on a GPU: uploaded once, and what steps make of them computed once. */
export interface GpuWeights {
  /**
   * The residents of some constant values.
   *
   * @param steps the steps that make values of constants, in order
   */
  residentsOf(
    values: readonly RecordedValue[],
    steps: readonly RecordedStep[],
  ): { readonly found: ReadonlyMap<RecordedValue, Resident>; readonly own: readonly Resident[] };
}

/**
 * Keeps the weights of some networks on an engine for as long as the engine lives.
 *
 * What depends on the networks' own constants alone is shared by every recording; the rest (`own`) belongs to the recording that
 * asked, which releases it. Weights that are only needed to compute others, such as those that are packed, do not stay.
 */
export function gpuWeights(engine: WebgpuEngine, networks: readonly Graph[]): GpuWeights {
  const names = new Map<Tensor['data'], string>();
  for (const graph of networks) {
    for (const [name, constant] of graph.constants) {
      if (constant.type === 'float32' && !names.has(constant.data)) names.set(constant.data, `${names.size} ${name}`);
    }
  }
  const shared = new Map<string, Resident>();

  function residentsOf(values: readonly RecordedValue[], steps: readonly RecordedStep[]) {
    const makers = new Map(steps.map((step) => [step.output, step] as const));
    const keys = new Map<RecordedValue, string | undefined>();
    const found = new Map<RecordedValue, Resident>();
    const own: Resident[] = [];

    /** Equal for values that are the same in every recording; undefined where a value is this recording's alone. */
    function keyOf(value: RecordedValue): string | undefined {
      if (keys.has(value)) return keys.get(value);
      const key = value.constant ? keyOfConstant(value.constant) : keyOfStep(makers.get(value));
      keys.set(value, key);
      return key;
    }

    // one initialiser may be read in several shapes
    function keyOfConstant({ data, shape }: Tensor): string | undefined {
      const name = names.get(data);
      return name === undefined ? undefined : `${name} ${shape.join('×')}`;
    }

    function keyOfStep(step: RecordedStep | undefined): string | undefined {
      const read = step?.kernel.inputs.map((name: string) => keyOf(step.inputs[name])) ?? [undefined];
      return read.includes(undefined)
        ? undefined
        : `${step?.kernel.name} ${JSON.stringify(step?.options)} (${read.join(', ')})`;
    }

    function make(value: RecordedValue, temporary: Map<RecordedValue, Resident>): Resident {
      const key = keyOf(value);
      const known = found.get(value) ?? temporary.get(value) ?? (key === undefined ? undefined : shared.get(key));
      if (known) return known;
      const step = makers.get(value);
      const made = value.constant
        ? engine.upload(value.constant)
        : engine.run(
            step!.kernel, // a constant value is uploaded or made by a step
            mapNamed(step!.kernel.inputs as readonly string[], (name) => make(step!.inputs[name], temporary)),
            step!.options,
          );
      temporary.set(value, made);
      return made;
    }

    for (const value of values) {
      const temporary = new Map<RecordedValue, Resident>();
      const resident = make(value, temporary);
      found.set(value, resident);
      for (const [other, made] of temporary) if (other !== value) engine.release(made);
      if (!temporary.has(value)) continue; // it was there before
      const key = keyOf(value);
      if (key === undefined) own.push(resident);
      else shared.set(key, resident);
    }
    return { found, own };
  }

  return { residentsOf };
}
