import { numpyRandom, rows, sweep, type Tensor, uniformTensor } from '@cambium/gpu-kernels';
import { explain } from '../src/explain.ts';
import { resolveLayer } from '../src/layers.ts';
import { methods } from '../src/methods/index.ts';
import { probeImage } from '../src/probe.ts';
import type { Classifier } from '../src/types.ts';
import { differenceOf, image, masked, recordedLogits, recordedMasked } from './recorded.ts';

/** One way to compute the embedded network, measured. Null where it was not measured. */
export interface Row {
  readonly what: string;
  readonly precision: string;
  readonly device: string;
  readonly batch: number;
  /** Of the network alone, images ready. */
  readonly imagesPerSecond: number | null;
  /** Of images under masks that are made on the way. */
  readonly maskedForwardsPerSecond: number | null;
  /** A Score-CAM map of 2,048 channels at layer4, from `channels` of them: probe, map and all. */
  readonly msPerMap: number | null;
  readonly channels: number | null;
  /** Largest memory of tensors on the device, 10⁶ bytes. */
  readonly deviceMemoryMB: number | null;
  /** Largest difference of logits from ONNX Runtime's in float32, in units of the largest. */
  readonly largestDifference: number;
}

export interface Measure {
  readonly what: string;
  readonly batch: number;
  /** Channels of the map that is timed, so many that the pass before them does not count; null for none. */
  readonly channels: number | null;
  readonly rounds: number;
  /** Of logits. */
  readonly allowed: number;
  memory?(): number;
}

/** @throws Error when the logits are wrong: nothing is then timed */
export async function measureForm(classifier: Classifier, measure: Measure): Promise<Row> {
  const { what, batch, channels, rounds, allowed, memory } = measure;
  const largestDifference = Math.max(
    differenceOf(await classifier.predict(image), recordedLogits),
    differenceOf(await classifier.predictVariants(masked(4)), recordedMasked),
  );
  if (!(largestDifference <= allowed)) {
    throw new Error(`${what}: logits differ by ${largestDifference} of the largest; nothing was timed.`);
  }
  const images = uniformTensor(numpyRandom(3), [batch, 3, 224, 224], -2, 2);
  const forward = await seconds(rounds, () => classifier.predict(images));
  const masks = await seconds(rounds, () => sweep({ ...masked(batch), classifier, batch }));
  const map = channels === null ? null : await seconds(1, () => scoreCam(classifier, { channels, batch }));
  return {
    what,
    precision: classifier.precision,
    device: classifier.device,
    batch,
    imagesPerSecond: batch / forward,
    maskedForwardsPerSecond: batch / masks,
    msPerMap: map === null || channels === null ? null : (1000 * map * 2048) / channels,
    channels,
    deviceMemoryMB: memory ? memory() / 1e6 : null,
    largestDifference,
  };
}

/** A map of the channels that vary most. */
export async function scoreCam(
  classifier: Classifier,
  { channels, batch }: { readonly channels: number; readonly batch: number },
): Promise<Tensor> {
  const layer = resolveLayer(classifier.graph, 'layer4');
  const shown = await probeImage(classifier, rows(image, 0, 1), { layers: [layer], batch });
  const { map } = await explain(await shown.at(layer, 2), methods['score-cam'], { variant: 'faster', channels });
  return map;
}

/** Median seconds; what the first run compiles is not counted. */
async function seconds(rounds: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) / 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
}
