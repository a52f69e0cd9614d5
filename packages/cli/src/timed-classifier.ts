import type { Classifier } from '@cambium/cam';
import type { VariantBatch } from '@cambium/gpu-kernels';

/** A classifier with how long it has worked. */
export interface TimedClassifier {
  readonly classifier: Classifier;
  /**
   * Seconds in which it was answering: compiling the network or computing it, forward or backward; and writing it, where it does
   * that in the thread where it computes.
   */
  seconds(): number;
}

/**
 * Wraps a classifier so that the time in which it answers is known. Questions that overlap count once. Of one that computes in
 * another thread it is the time in which that thread was busy, as the classifier tells.
 */
export function timedClassifier(inner: Classifier): TimedClassifier {
  let [total, underWay, since] = [0, 0, 0];

  async function timed<T>(answer: () => Promise<T>): Promise<T> {
    if (underWay++ === 0) since = performance.now();
    try {
      return await answer();
    } finally {
      if (--underWay === 0) total += performance.now() - since;
    }
  }

  const classifier: Classifier = {
    ...inner,
    predict: (batch) => timed(() => inner.predict(batch)),
    values: (batch, layers) => timed(() => inner.values(batch, layers)),
    backward: (batch, layer, rule, start) => timed(() => inner.backward(batch, layer, rule, start)),
    predictVariants: <In extends string, U extends string, O>(batch: VariantBatch<In, U, O>) =>
      timed(() => inner.predictVariants(batch)),
  };
  return {
    classifier,
    seconds: () => inner.busy?.() ?? (total + (underWay > 0 ? performance.now() - since : 0)) / 1000,
  };
}
