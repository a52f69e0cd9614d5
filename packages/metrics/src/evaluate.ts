import { numpyRandom, type Predict, type Tensor, type VariantPredictor } from '@cambium/gpu-kernels';
import { requireSubject, withDefaults } from './define-metric.ts';
import { sweepCache } from './sweep-cache.ts';
import type { AnyMetric, Explain, Score, Subject, SweepCache } from './types.ts';

/** A metric with the options that differ from its defaults. */
export interface Measurement {
  readonly metric: AnyMetric;
  readonly options?: object;
}

/** What to score, and how. */
export interface EvaluateRequest {
  readonly subjects: readonly Subject[];
  readonly measurements: readonly Measurement[];
  /** Every score draws from a new `numpyRandom` of this seed, so that no score depends on another; 0 unless given. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds; `performance.now` unless given. */
  readonly clock?: () => number;
}

/** One score, or why there is none, with what it took. */
export type Row = Score & {
  /** Index of the subject. */
  readonly subject: number;
  /** Name of the metric. */
  readonly metric: string;
  /** All options, those of the defaults too. */
  readonly options: { readonly [name: string]: unknown };
  /** Images classified for this row; what other rows had computed is not counted again. */
  readonly forwards: number;
  readonly explanations: number;
  readonly seconds: number;
  readonly seed: number;
};

/**
 * Scores every subject by every metric and yields the rows as they finish, subject after subject.
 *
 * Subjects of one image tensor and one `predict` share their sweeps, and all are one another's companions, unless they
 * bring their own. A metric that cannot score yields null and why, and so does one that fails: the others go on.
 *
 * @throws RangeError or ShapeError from the checks of all subjects and options, before any forward pass; the signal's
 * reason when it is aborted
 */
export async function* evaluate(request: EvaluateRequest): AsyncGenerator<Row, void, undefined> {
  const { subjects, measurements, seed = 0, signal } = request;
  for (const subject of subjects) {
    requireSubject('evaluate', subject);
    for (const measurement of measurements) checkOptions(measurement, subject);
  }
  const shared = withShared(subjects, signal);
  for (const [index, subject] of shared.entries()) {
    for (const measurement of measurements) {
      signal?.throwIfAborted();
      yield { subject: index, seed, ...(await rowOf(subject, measurement, request)) };
    }
  }
}

function checkOptions({ metric, options = {} }: Measurement, { image }: Subject): void {
  metric.check(withDefaults(metric.name, metric.defaults, options), image.shape);
}

/** The subjects as each other's companions, with one cache for each image and network. */
function withShared(subjects: readonly Subject[], signal?: AbortSignal): readonly Subject[] {
  const caches = new Map<Tensor, Map<Predict, SweepCache>>();
  const shared: Subject[] = [];
  for (const subject of subjects) {
    const ofImage = caches.get(subject.image) ?? new Map<Predict, SweepCache>();
    caches.set(subject.image, ofImage);
    const sweeps = subject.sweeps ?? ofImage.get(subject.predict) ?? sweepCache();
    ofImage.set(subject.predict, sweeps);
    shared.push({ ...subject, sweeps, signal: subject.signal ?? signal, companions: subject.companions ?? shared });
  }
  return shared;
}

async function rowOf(
  subject: Subject,
  { metric, options }: Measurement,
  { seed = 0, signal, clock = () => performance.now() }: EvaluateRequest,
): Promise<Omit<Row, 'subject' | 'seed'> & Score> {
  const counts = { forwards: 0, explanations: 0 };
  const start = clock();
  const own = prepared(subject, counts, seed);
  const companions = own.companions?.map((companion) => prepared(companion, counts, seed));
  const score = await scoreOrReason({ ...own, companions }, { metric, options }, signal);
  const seconds = (clock() - start) / 1000;
  return {
    ...score,
    metric: metric.name,
    options: withDefaults(metric.name, metric.defaults, options ?? {}),
    ...counts,
    seconds,
  };
}

/** A metric that throws loses its own row and no other. */
async function scoreOrReason(subject: Subject, { metric, options }: Measurement, signal?: AbortSignal): Promise<Score> {
  try {
    return await metric.score(subject, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    return { value: null, reason: `${metric.name} failed: ${cause}` };
  }
}

/** The subject with functions that count what they are asked for, and a new stream of random numbers. */
function prepared(subject: Subject, counts: { forwards: number; explanations: number }, seed: number): Subject {
  const { explainBatch, classifier } = subject;
  const predict: Predict = (batch) => {
    counts.forwards += batch.shape[0];
    return subject.predict(batch);
  };
  const explain: Explain = (image, target) => {
    counts.explanations++;
    return subject.explain(image, target);
  };
  return {
    ...subject,
    random: numpyRandom(seed),
    predict,
    explain,
    ...(classifier && { classifier: countingClassifier(classifier, counts) }),
    ...(explainBatch && {
      explainBatch: (images: Tensor, targets: readonly number[]) => {
        counts.explanations += targets.length;
        return explainBatch(images, targets);
      },
    }),
  };
}

function countingClassifier(classifier: VariantPredictor, counts: { forwards: number }): VariantPredictor {
  return {
    predictVariants(batch) {
      counts.forwards += batch.inputs[batch.rows].shape[0];
      return classifier.predictVariants(batch);
    },
  };
}
