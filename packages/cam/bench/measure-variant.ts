import {
  numpyRandom,
  type OpenedDevice,
  rows,
  stack,
  sweep,
  type Tensor,
  uniformTensor,
  type VariantPredictor,
} from '@cambium/gpu-kernels';
import { webgpuClassifier } from '../src/classifiers/webgpu.ts';
import { resolveLayer } from '../src/layers.ts';
import type { Graph } from '../src/onnx/graph.ts';
import type { Classifier } from '../src/types.ts';
import { alternate, type Rounds, type Spread, spreadOfRounds, warmUp } from './alternate.ts';
import { withoutBatches } from './host.ts';
import { scoreCam } from './measure-form.ts';
import { differenceOf, image, masked, recordedLogits, recordedMasked } from './recorded.ts';
import { residentPasses } from './resident-passes.ts';
import type { Variant } from './variants.ts';
import { walkTimes } from './walk-times.ts';

/** Of logits, in units of the largest. */
const ALLOWED = { f32: 1e-3, f16: 2e-2 } as const;

export interface VariantRequest {
  readonly variant: Variant;
  readonly batch: number;
  /** Masks of a sweep and channels of a map. */
  readonly masks: number;
  /** Images of a walk; 0 where walks are not timed. */
  readonly walks: number;
}

/** Least and largest of what a median is reported of. */
export type Range = readonly [number, number];

/** What a network does in one variant at one batch; all are medians. */
export interface VariantTimes {
  /** Of the network alone: see `residentPasses`. */
  readonly imagesPerSecond: number;
  readonly imagesPerSecondRange: Range;
  /** Of images under masks that are made on the way. */
  readonly maskedForwardsPerSecond: number;
  readonly maskedForwardsPerSecondRange: Range;
  /** A Score-CAM map of 2,048 channels at layer4, scaled from `masks` of them: the pass before them, masks, scores, map. */
  readonly msPerMap: number;
  readonly msPerMapRange: Range;
  /** Time of masked passes beyond that of as many passes of the network alone, in units of the latter. */
  readonly overheadOfMasks: number;
  /** The same of a map. */
  readonly overheadOfMap: number;
  /** Of images that come from the host, checked and uploaded. */
  readonly uploadedImagesPerSecond: number;
  readonly uploadedImagesPerSecondRange: Range;
  readonly peakMemoryMB: number;
  readonly largestDifference: number;
  /** `gradientMs` and `zPlusMs` of an image, where walks were timed. */
  readonly [name: `${string}Ms`]: number;
}

/**
 * Holds a variant to the recorded logits, then warms the device up with what is timed, and times the network alone, masked passes and
 * maps in turn. On a software adapter everything is done as few times as it can be.
 *
 * @throws Error where the logits are wrong: nothing is then timed
 */
export async function measureVariant(
  graph: Graph,
  opened: OpenedDevice,
  { variant, batch, masks, walks }: VariantRequest,
): Promise<VariantTimes> {
  const timing = opened.software
    ? { host: 0, warm: 0, least: 1, seconds: 0 }
    : { host: 0.3, warm: 0.5, least: 3, seconds: 1.5 };
  await using classifier = webgpuClassifier(graph, opened, { ...variant, maxBatch: batch });
  using network = residentPasses(graph, opened, { variant, image, batch });
  const largestDifference = await requireLogits(classifier, network);
  const whole = everyChannelAlive(classifier);
  const passes = batch * Math.ceil(masks / batch); // the network alone has no shorter batch
  const plain = (count: number) => () => sweep({ ...masked(count), classifier: network, batch });
  const under = (count: number) => () => sweep({ ...masked(count), classifier, batch });
  const mapOf = (channels: number) => () => scoreCam(whole, { channels, batch });
  const planned = Math.min(masks, batch + (masks % batch)); // batches of all lengths that there are
  await mapOf(planned)(); // plans and compiles
  // V8 optimises what the host does for a map: 40 ms the first time, 10 ms after twenty
  await warmUp([() => scoreCam(withoutBatches(classifier), { channels: masks, batch })], timing.host);
  await warmUp([under(planned), plain(batch)], timing.warm);
  const times = await alternate({ plain: plain(passes), masked: under(masks), map: mapOf(masks) }, timing);
  const uploaded = await uploadTimes(classifier, { batch, count: Math.min(masks, 4 * batch) }, timing);
  const perPass = times.plain.median / passes;
  return {
    ...speeds('imagesPerSecond', passes, times.plain),
    ...speeds('maskedForwardsPerSecond', masks, times.masked),
    msPerMap: msPerMap(times.map.median, masks),
    msPerMapRange: [msPerMap(times.map.least, masks), msPerMap(times.map.most, masks)],
    overheadOfMasks: times.masked.median / (masks * perPass) - 1,
    overheadOfMap: times.map.median / (masks * perPass) - 1,
    ...uploaded,
    peakMemoryMB: classifier.memory().peak / 1e6,
    largestDifference,
    ...(walks > 0 ? await walkTimes(classifier, walks, { ...timing, seconds: 0 }) : {}),
  };
}

/** Largest difference from the recorded logits. @throws Error where it is too large */
async function requireLogits(classifier: Classifier, network: VariantPredictor): Promise<number> {
  const difference = Math.max(
    differenceOf(await network.predictVariants(masked(1)), recordedLogits),
    differenceOf(await classifier.predict(image), recordedLogits),
    differenceOf(await classifier.predictVariants(masked(4)), recordedMasked),
  );
  if (difference <= (classifier.precision === 'f16' ? ALLOWED.f16 : ALLOWED.f32)) return difference;
  throw new Error(`logits differ by ${difference} of the largest; nothing was timed`);
}

/** A speed and its range under a name. */
function speeds<Name extends string>(name: Name, count: number, { median, least, most }: Spread) {
  return { [name]: count / median, [`${name}Range`]: [count / most, count / least] } as {
    readonly [key in Name]: number;
  } & { readonly [key in `${Name}Range`]: Range }; // these two are in it
}

function msPerMap(seconds: number, channels: number): number {
  return 1000 * seconds * (2048 / channels);
}

/** As a user's images are, in one call: they are checked, cut into batches and uploaded. */
async function uploadTimes(
  classifier: Classifier,
  { batch, count }: { readonly batch: number; readonly count: number },
  rounds: Rounds,
) {
  const images = severalImages(count);
  await classifier.predict(rows(images, 0, Math.min(batch, count))); // plans
  if (count % batch > 0) await classifier.predict(rows(images, 0, count % batch));
  return speeds(
    'uploadedImagesPerSecond',
    count,
    await spreadOfRounds(() => classifier.predict(images), { ...rounds, seconds: 0 }),
  );
}

/** Eight different images over and over: drawing each would take longer than what is measured. */
function severalImages(count: number): Tensor {
  const few = uniformTensor(numpyRandom(4), [Math.min(count, 8), 3, 224, 224], -2, 2);
  return rows(stack(Array.from({ length: Math.ceil(count / 8) }, () => few)), 0, count);
}

/**
 * The same, but that an image's channels at layer4 are others after the pass that gives them: of the recorded image, which is noise,
 * a third are constant and would cost nothing.
 */
function everyChannelAlive(classifier: Classifier): Classifier {
  const layer = resolveLayer(classifier.graph, 'layer4');
  const activations = uniformTensor(numpyRandom(4), [1, 2048, 7, 7], 0, 1);
  return {
    ...classifier,
    async values(images, layers) {
      const { logits } = await classifier.values(images, layers);
      return { logits, layers: { [layer]: activations } };
    },
  };
}
