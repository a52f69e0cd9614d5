import {
  type ChannelsLastOptions,
  constantValues,
  type Program,
  programOf,
  type RecordedValue,
  type RecordingEngine,
  type Resident,
  type Tensor,
  type WebgpuEngine,
} from '@cambium/gpu-kernels';
import type { GpuWeights } from './gpu-weights.ts';
import { layOut, type RecordedQuestion } from './lay-out.ts';

/** A question with the length of its batch: equal keys, equal recordings. */
export interface Question {
  readonly key: string;
  /** Whether it walks back, by rules that may ask whether a sum is 0. */
  readonly isWalk?: boolean;
  record(engine: RecordingEngine): RecordedQuestion;
}

/** Answers questions on a GPU. */
export interface GpuQuestions {
  /** Runs a question's program on these inputs. */
  ask(question: Question, inputs: readonly Tensor[]): Promise<Tensor[]>;
  /** Gives back the memory that is kept for reuse. */
  trim(): void;
}

/** How questions are laid out, and how many stay planned. */
export interface QuestionOptions extends ChannelsLastOptions {
  /** Takes the place of `convolution` in walks. */
  readonly walkConvolution?: ChannelsLastOptions['convolution'];
  /** Questions that stay planned. */
  readonly limit: number;
}

/**
 * Plans each question once and runs it many times: the recording is fused, laid out with channels last, its constants are
 * computed, and the order in which memory is freed is fixed. The questions asked last stay planned.
 */
export function gpuQuestions(
  engine: WebgpuEngine,
  weights: GpuWeights,
  { limit, walkConvolution, ...layout }: QuestionOptions,
): GpuQuestions {
  const plans = new Map<string, Plan>(); // in order of use, last used at the end

  function planFor(question: Question): Plan {
    const { key } = question;
    const plan = plans.get(key) ?? makePlan(question);
    plans.delete(key);
    plans.set(key, plan);
    for (const [oldest, { own }] of plans) {
      if (plans.size <= limit) break;
      plans.delete(oldest);
      engine.release(...own);
    }
    return plan;
  }

  function makePlan({ record, isWalk }: Question): Plan {
    const { convolution } = layout;
    const { inputs, steps, outputs } = layOut(record, {
      ...layout,
      convolution: isWalk ? (walkConvolution ?? convolution) : convolution,
    });
    const constant = constantValues(steps);
    const program = programOf(
      steps.filter((step) => !constant.has(step.output)),
      outputs,
    );
    const needed = program.needs.filter((value) => value.constant || constant.has(value));
    const { found, own } = weights.residentsOf(needed, steps);
    engine.submit(); // weights that others share are not lost where this question turns out too large
    return { program, inputs, constants: found, own };
  }

  async function ask(question: Question, tensors: readonly Tensor[]): Promise<Tensor[]> {
    const { program, inputs, constants } = planFor(question);
    const uploaded: Resident[] = [];
    let outputs: readonly Resident[] = [];
    try {
      for (const source of tensors) uploaded.push(engine.upload(source));
      outputs = program.run(
        engine,
        new Map([...constants, ...inputs.map((value, index) => [value, uploaded[index]] as const)]),
      );
      const downloads = outputs.map((output) => engine.download(output));
      return await Promise.all(downloads);
    } finally {
      // an output may be an input or a constant, handed through
      const kept = new Set<Resident>(constants.values());
      engine.release(...uploaded, ...outputs.filter((output) => !kept.has(output)));
    }
  }

  return { ask, trim: () => engine.trim() };
}

interface Plan {
  readonly program: Program;
  readonly inputs: readonly RecordedValue[];
  readonly constants: ReadonlyMap<RecordedValue, Resident>;
  /** Constants that no other plan shares. */
  readonly own: readonly Resident[];
}
