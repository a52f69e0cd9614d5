import { KernelError, type RecordingEngine, rows, type Shape, stack, type Tensor } from '@cambium/gpu-kernels';
import { requireNumbers } from './checks.ts';
import type { GpuQuestions, Question } from './gpu-questions.ts';

/** A question about a batch of any length. */
export interface BatchQuestion {
  readonly key: string;
  readonly isWalk?: boolean;
  /** Length of the batch. */
  readonly count: number;
  /** What the question is given; what grows has a row for each of the batch. */
  readonly inputs: readonly { readonly tensor: Tensor; readonly grows: boolean }[];
  record(engine: RecordingEngine, shapes: readonly Shape[]): ReturnType<Question['record']>;
}

/** Answers one. */
export type Ask = (question: BatchQuestion) => Promise<Tensor[]>;

/**
 * Asks about a long batch a portion at a time, without waiting for one portion before the next is on its way. Where there is too
 * little memory for a portion, all is asked again in smaller ones, and they stay so.
 */
export function inPortions(questions: GpuQuestions, maxBatch: number, logits: string): Ask {
  let most = maxBatch;
  return async (question) => {
    for (;;) {
      const tried = most;
      try {
        const answer = await askInPortions(questions, question, tried);
        requireNumbers(answer[0], logits);
        return answer;
      } catch (error) {
        if (!isTooMuch(error) || Math.min(tried, question.count) === 1) throw error;
        questions.trim();
        most = Math.min(most, Math.ceil(Math.min(tried, question.count) / 2)); // another question may have halved it
      }
    }
  };
}

/** RangeErrors are of limits that were known, the others of memory that the device turned out not to have. */
function isTooMuch(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof KernelError && error.kind === 'out-of-memory');
}

async function askInPortions(
  { ask }: GpuQuestions,
  { key, isWalk, count, inputs, record }: BatchQuestion,
  most: number,
): Promise<Tensor[]> {
  const parts: Promise<Tensor[]>[] = [];
  try {
    for (let from = 0; from < count; from += most) {
      const to = Math.min(from + most, count);
      const portion = inputs.map(({ tensor, grows }) => (grows ? rows(tensor, from, to) : tensor));
      const shapes = portion.map(({ shape }) => shape);
      const part = ask({ key: `${to - from} × ${key}`, isWalk, record: (engine) => record(engine, shapes) }, portion);
      part.catch(() => {}); // heard below; another may fail first
      parts.push(part);
      if (parts.length > 1) await parts[parts.length - 2]; // two portions are alive at once
    }
    const results = await Promise.all(parts);
    const [first] = results;
    return results.length === 1 ? first : first.map((_, output) => stack(results.map((part) => part[output])));
  } finally {
    await Promise.allSettled(parts); // nothing of it is under way any more
  }
}
