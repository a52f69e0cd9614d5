import { type Classifier, rules } from '@cambium/cam';
import { tensor, zeros } from '@cambium/gpu-kernels';
import type { Work } from './estimate.ts';
import { batchOf, type Study } from './study.ts';

/** What work takes on this machine. */
export interface Calibration {
  secondsOf(work: Work): number;
  /** Images in a second. */
  readonly speed: number;
  /** Bytes that this process has taken, with two forms of the network compiled: its logits, and a walk. */
  readonly memory: number;
  /** Bytes that the second of them has added. */
  readonly growth: number;
}

/**
 * Times the network: two batches forward, and one walk back to the first layer. The first run of each is not counted,
 * it compiles.
 *
 * @param clock seconds
 */
export async function calibrate(classifier: Classifier, study: Study, clock: () => number): Promise<Calibration> {
  const timed = async (work: () => Promise<unknown>, times: number) => {
    await work();
    const start = clock();
    for (let time = 0; time < times; time++) await work();
    return (clock() - start) / times;
  };
  const images = batchOf(study, classifier);
  const batch = zeros(images, ...classifier.input);
  const forward = (await timed(() => classifier.predict(batch), 2)) / images;
  const before = process.memoryUsage().rss;
  const start = tensor(rules.gradient.start(classifier.classes, 0), [1, classifier.classes]);
  const image = zeros(1, ...classifier.input);
  const walk = await timed(() => classifier.backward(image, study.layers[0].value, 'gradient', start), 1);
  const memory = process.memoryUsage().rss;
  return {
    secondsOf: ({ forwards, walks }) => (forwards - walks) * forward + walks * walk,
    speed: 1 / forward,
    memory,
    growth: Math.max(0, memory - before),
  };
}
