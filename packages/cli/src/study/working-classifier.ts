import type { Classifier } from '@cambium/cam';
import { mapNamed, rows, stack, type Tensor, tensor, type VariantBatch } from '@cambium/gpu-kernels';
import { fingerprint, fingerprintOf, fingerprintOfRow } from './fingerprint.ts';
import type { Journal } from './journal.ts';
import type { Turns } from './turns.ts';

/** What a classifier has done so far. */
export interface Tally {
  /** Images classified. */
  forwards: number;
  /** Seconds in which questions of other images were answered before one could be asked. */
  waited: number;
}

/** Nothing has been done yet. */
export function emptyTally(): Tally {
  return { forwards: 0, waited: 0 };
}

/** A classifier that counts what it does and keeps what it answers. */
export interface WorkingClassifier extends Classifier {
  readonly tally: Tally;
  readonly journal: Journal | undefined;
  /** Counts images that were classified for what was found. */
  count(forwards: number): void;
}

/** Where the answers go, and when questions may be asked. */
export interface WorkingOptions {
  /** Answers are kept in this journal, and taken from it; without one nothing is kept. */
  readonly journal?: Journal;
  /** Shared with the other images that are worked on at once. */
  readonly turns?: Turns;
  /** Counts what is computed now for all images together, without what a journal has from an earlier process. */
  readonly total?: Tally;
}

/**
 * Wraps a classifier for the long work on one image: every image classified is counted, and the logits of variants and single images go
 * to a journal row by row, so that whoever asks again, in this process or after a kill, gets them from there.
 *
 * A batch with rows that are unknown is computed whole, so every row keeps the company it would have had without a kill. With turns,
 * an answer is in the journal before the next question is asked, so that a kill loses one batch however many images are under way.
 */
export function workingClassifier(inner: Classifier, options: WorkingOptions = {}): WorkingClassifier {
  const { journal, turns, total } = options;
  const tally = emptyTally();
  const named = (keys: readonly string[]) =>
    inner.precision === 'f32' ? keys : keys.map((key) => fingerprint(inner.precision, key));

  function count(forwards: number): void {
    tally.forwards += forwards;
  }

  async function answering<T>(images: number, work: () => Promise<T>, keep: (answer: T) => void): Promise<T> {
    try {
      const answer = await work();
      keep(answer);
      return answer;
    } finally {
      count(images);
      if (total) total.forwards += images;
    }
  }

  function computing<T>(images: number, work: () => Promise<T>, keep: (answer: T) => void = () => {}): Promise<T> {
    if (!turns) return answering(images, work, keep);
    const asked = performance.now();
    return turns.take(() => {
      tally.waited += (performance.now() - asked) / 1000;
      return answering(images, work, keep);
    });
  }

  async function throughJournal(keys: readonly string[], compute: () => Promise<Tensor>): Promise<Tensor> {
    const known = journal && findAll(journal, keys);
    if (known) {
      count(known.untold);
      return stack(known.rows);
    }
    return computing(keys.length, compute, (logits) =>
      journal?.add(keys.map((key, row) => ({ key, cost: 1, numbers: rows(logits, row, row + 1).data }))),
    );
  }

  return {
    device: inner.device,
    precision: inner.precision,
    atOnce: inner.atOnce,
    batch: inner.batch,
    graph: inner.graph,
    input: inner.input,
    classes: inner.classes,
    tally,
    journal,
    count,
    predict: (batch) => throughJournal(named(imageKeys(batch)), () => inner.predict(batch)),
    predictVariants: <In extends string, U extends string, O>(batch: VariantBatch<In, U, O>) =>
      throughJournal(named(variantKeys(batch)), () => inner.predictVariants(batch)),
    values: (batch, layers) =>
      computing(
        batch.shape[0],
        () => inner.values(batch, layers),
        ({ logits }) => {
          const fresh = named(imageKeys(batch)).flatMap((key, row) =>
            journal?.find(key) ? [] : [{ key, cost: 0, numbers: rows(logits, row, row + 1).data }],
          );
          journal?.add(fresh); // whoever asks for the logits alone need not wait again
        },
      ),
    backward: (batch, layer, rule, start) => computing(batch.shape[0], () => inner.backward(batch, layer, rule, start)),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
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
