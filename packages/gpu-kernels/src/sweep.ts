import { ShapeError } from './errors.ts';
import { nextTurn } from './next-turn.ts';
import type { VariantBatch, VariantPredictor } from './predict.ts';
import { rows as rowsOf, type Tensor, tensor } from './tensor.ts';

/** What to sweep, through which classifier and in what portions. */
export interface Sweep<In extends string, U extends string, O> extends VariantBatch<In, U, O> {
  readonly classifier: VariantPredictor;
  /** Variants that are alive at once, at least 1; the last batch may be shorter. */
  readonly batch: number;
  /** Stops before the next batch; the sweep then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each batch with the number of variants done and their total. */
  readonly onBatch?: (done: number, total: number) => void;
}

/**
 * Classifies every variant that a kernel makes, a batch at a time, so memory is one batch whatever N is (as many as the
 * classifier's `atOnce`, where it takes several).
 *
 *     inputs[rows] N×…  →  logits N×K, in the order of the rows
 *
 * Between batches the event loop gets a turn.
 *
 * @throws RangeError when `batch` is not a positive integer
 * @throws ShapeError when there are no rows, or the classifier returns another number of rows or classes
 */
export async function sweep<In extends string, U extends string, O>(request: Sweep<In, U, O>): Promise<Tensor> {
  const { classifier, kernel, inputs, rows, options, batch, signal, onBatch } = request;
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`sweep expected a batch that is a positive integer, got ${batch}.`);
  }
  const all = inputs[rows];
  const total = all.shape[0] ?? 0;
  if (total === 0)
    throw new ShapeError('sweep', `at least one row in the input "${rows}"`, `[${all.shape.join(', ')}]`);
  let logits: Tensor | undefined;
  const asked: { readonly start: number; readonly end: number; readonly result: Promise<Tensor> }[] = [];

  async function take(): Promise<void> {
    const { start, end, result: asking } = asked.shift()!; // called only when something was asked
    const result = await asking;
    logits ??= tensor(new Float32Array(total * (result.shape[1] ?? 0)), [total, result.shape[1] ?? 0]);
    requireRows(result, end - start, logits.shape[1]);
    logits.data.set(result.data, start * logits.shape[1]);
    onBatch?.(end, total);
  }

  try {
    for (let start = 0; start < total; start += batch) {
      if (start > 0) await nextTurn();
      signal?.throwIfAborted();
      const end = Math.min(start + batch, total);
      const part = { ...inputs, [rows]: rowsOf(all, start, end) }; // same names, fewer rows
      const result = classifier.predictVariants({ kernel, inputs: part, rows, options });
      result.catch(() => {}); // heard when it is taken
      asked.push({ start, end, result });
      if (asked.length >= (classifier.atOnce ?? 1)) await take();
    }
    while (asked.length > 0) await take();
  } finally {
    await Promise.allSettled(asked.map(({ result }) => result)); // nothing goes on after a sweep has ended
  }
  return logits!; // total > 0, so there was a first batch
}

function requireRows(result: Tensor, count: number, classes: number): void {
  if (result.shape.length === 2 && result.shape[0] === count && result.shape[1] === classes) return;
  throw new ShapeError('sweep', `logits of ${count}×${classes} from the classifier`, `[${result.shape.join(', ')}]`);
}
