import type { Classifier } from '@cambium/cam';
import { mapNamed, rows, stack, type Tensor, tensor, type VariantBatch } from '@cambium/gpu-kernels';
import { fingerprint, fingerprintOf, fingerprintOfRow } from './fingerprint.ts';
import type { Journal } from './journal.ts';

/** What a classifier has done so far. */
export interface Tally {
  /** Images classified. */
  forwards: number;
}

/** A classifier that counts what it does and keeps what it answers. */
export interface WorkingClassifier extends Classifier {
  readonly tally: Tally;
  /** Answers are kept in this journal, and taken from it; without one nothing is kept. */
  journal: Journal | undefined;
}

/**
 * Wraps a classifier for long work: every image classified is counted, and the logits of variants and single images go
 * to a journal row by row, so that whoever asks again, in this process or after a kill, gets them from there.
 *
 * A batch with rows that are unknown is computed whole, so every row keeps the company it would have had without a kill.
 */
export function workingClassifier(inner: Classifier): WorkingClassifier {
  const tally: Tally = { forwards: 0 };
  const named = (keys: readonly string[]) =>
    inner.precision === 'f32' ? keys : keys.map((key) => fingerprint(inner.precision, key));

  async function computing<T>(images: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      tally.forwards += images;
    }
  }

  async function throughJournal(keys: readonly string[], compute: () => Promise<Tensor>): Promise<Tensor> {
    const { journal } = wrapped;
    const known = journal && findAll(journal, keys);
    if (known) {
      tally.forwards += known.untold;
      return stack(known.rows);
    }
    const logits = await computing(keys.length, compute);
    journal?.add(keys.map((key, row) => ({ key, cost: 1, numbers: rows(logits, row, row + 1).data })));
    return logits;
  }

  const wrapped: WorkingClassifier = {
    device: inner.device,
    precision: inner.precision,
    atOnce: inner.atOnce,
    batch: inner.batch,
    graph: inner.graph,
    input: inner.input,
    classes: inner.classes,
    tally,
    journal: undefined,
    predict: (batch) => throughJournal(named(imageKeys(batch)), () => inner.predict(batch)),
    predictVariants: <In extends string, U extends string, O>(batch: VariantBatch<In, U, O>) =>
      throughJournal(named(variantKeys(batch)), () => inner.predictVariants(batch)),
    async values(batch, layers) {
      const result = await computing(batch.shape[0], () => inner.values(batch, layers));
      const keys = named(imageKeys(batch));
      const fresh = keys.flatMap((key, row) =>
        wrapped.journal?.find(key) ? [] : [{ key, cost: 0, numbers: rows(result.logits, row, row + 1).data }],
      );
      wrapped.journal?.add(fresh); // whoever asks for the logits alone need not wait again
      return result;
    },
    backward: (batch, layer, rule, start) => computing(batch.shape[0], () => inner.backward(batch, layer, rule, start)),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
  return wrapped;
}

function findAll(journal: Journal, keys: readonly string[]): { rows: Tensor[]; untold: number } | undefined {
  const found: Tensor[] = [];
  let untold = 0;
  for (const key of keys) {
    const entry = journal.find(key);
    if (!entry) return undefined;
    found.push(tensor(entry.numbers, [1, entry.numbers.length]));
    untold += entry.untold;
  }
  return { rows: found, untold };
}

function imageKeys(batch: Tensor): string[] {
  return Array.from({ length: batch.shape[0] }, (_, row) => fingerprint('image', fingerprintOfRow(batch, row)));
}

function variantKeys<In extends string, U extends string, O>(batch: VariantBatch<In, U, O>): string[] {
  const { kernel, inputs, rows: varying, options } = batch;
  const others = mapNamed(kernel.inputs, (name) => (name === varying ? '' : fingerprintOf(inputs[name])));
  const base = fingerprint(kernel.name, varying, JSON.stringify([others, options]));
  const varied = inputs[varying];
  return Array.from({ length: varied.shape[0] }, (_, row) => fingerprint(base, fingerprintOfRow(varied, row)));
}
