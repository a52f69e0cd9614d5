import {
  type AnyCamMethod,
  argmax,
  explain,
  finishMap,
  type ImageProbe,
  normalisePixels,
  probeImage,
  softmax,
} from '@cambium/cam';
import { numpyRandom, sizeOf, type Tensor, tensor } from '@cambium/gpu-kernels';
import { type AnyMetric, metrics, type Score, type Subject, sweepCache } from '@cambium/metrics';
import { fromHere } from '../io/from-here.ts';
import { type Picture, readPicture } from '../io/image.ts';
import { type Cell, classOf, type Explained, optionsWithin } from './cells.ts';
import { fingerprint, fingerprintOf } from './fingerprint.ts';
import type { StudyImage } from './images.ts';
import { readMapFile, unscorable } from './map-files.ts';
import type { ImageRecord, LayerRecord } from './records.ts';
import { batchOf as batchFor, runMethods, type Study } from './study.ts';
import type { WorkingClassifier } from './working-classifier.ts';

/** A map with what it was made of. */
export interface StudyMap {
  /** H×W */
  readonly map: Tensor;
  /** h×w, raw and signed */
  readonly coarse: Tensor;
  readonly degenerate: boolean;
}

/** An image at work: what is asked about it is kept until the next image. */
export interface ImageWork {
  readonly picture: Picture;
  readonly record: ImageRecord;
  explain(layer: LayerRecord, explained: Explained): Promise<StudyMap>;
  /** Tells a raw map of the image that an earlier session made. */
  remember(layer: LayerRecord, explained: Explained, coarse: Tensor): void;
  score(cell: Cell): Promise<Score>;
  /** Images that metrics have explained so far, those answered from what is kept too. */
  explanations(): number;
}

/** What working on an image needs. */
export interface WorkRequest {
  readonly study: Study;
  readonly classifier: WorkingClassifier;
  readonly image: StudyImage;
  /** How many images are worked on at once; they share the memory. */
  readonly imagesAtOnce: number;
  readonly signal: AbortSignal;
}

/**
 * Reads an image and shows it to the network. Its values at all layers come with the one forward pass; maps, walks,
 * masked passes and the variants that metrics explain are shared by all cells of the image.
 *
 * @throws UsageError when the image cannot be read; the signal's reason when it is aborted
 */
export async function openImage(request: WorkRequest): Promise<ImageWork> {
  const { study, classifier, image, signal } = request;
  const [channels, height, width] = study.model.graph.input.shape;
  const picture = { ...(await readPicture(image.file, [height, width], study.model.resize)), name: image.name };
  const own = normalisePixels(picture.data, picture.size, study.model);
  const pixels = tensor(own.data, [channels, height, width]);
  const explainer = openExplainer(request);
  const { logits } = await explainer.probe(own);
  const record = answerOf(logits, { study, image });
  const mask = image.mask === undefined ? undefined : await readMask(image.mask.file, [height, width], study);
  for (const { method, options, files } of study.techniques) {
    if (!files) continue;
    for (const layer of study.layers) {
      const coarse = await readMapFile({ files, options }, layer, image.name);
      explainer.remember(own, { layer, explained: { method, options, files }, target: record.target.index }, coarse);
    }
  }
  const sweeps = sweepCache();
  let explanations = 0;
  const explainOwn = (layer: LayerRecord, explained: Explained) =>
    explainer.explain(own, { layer, explained, target: record.target.index });

  return {
    picture,
    record,
    explain: explainOwn,
    remember: (layer, explained, coarse) =>
      explainer.remember(own, { layer, explained, target: record.target.index }, coarse),
    explanations: () => explanations,
    async score({ layer, technique, metric }) {
      const reason = unscorable(technique, metric);
      if (reason !== undefined) return { value: null, reason };
      const explained = optionsWithin(metric, technique);
      const { map } = await explainOwn(layer, explained);
      const subject: Subject = {
        image: pixels,
        target: record.target.index,
        map,
        mask,
        predict: classifier.predict,
        classifier,
        explain: async (variant, target) => {
          explanations++;
          const shown = variant.data === own.data ? own : batchOf(variant);
          return (await explainer.explain(shown, { layer, explained, target })).map;
        },
        batchSize: batchFor(study, classifier),
        random: numpyRandom(study.suite.seed),
        sweeps,
        signal,
      };
      const scored: AnyMetric = metrics[metric.name];
      return scored.score(subject, metric.options);
    },
  };
}

interface Wanted {
  readonly layer: LayerRecord;
  readonly explained: Explained;
  readonly target: number;
}

/** Explains images of 1×C×H×W; the last ones shown are kept with all that was asked about them. */
function openExplainer({ study, classifier, imagesAtOnce, signal }: WorkRequest) {
  const { suite, layers, model } = study;
  const probes = new Map<string, Promise<ImageProbe>>(); // last used at the end
  const limit = probesKept(study, imagesAtOnce);
  const remembered = new Map<string, Tensor>();

  function probe(image: Tensor): Promise<ImageProbe> {
    const key = fingerprintOf(image);
    const known = probes.get(key);
    const shown =
      known ??
      probeImage(classifier, kept(image), {
        layers: layers.map(({ value }) => value),
        batch: batchFor(study, classifier),
        seed: suite.seed,
        signal,
      });
    probes.delete(key);
    probes.set(key, shown);
    for (const oldest of probes.keys()) {
      if (probes.size <= limit) break;
      probes.delete(oldest);
    }
    return shown;
  }

  function fromJournal(key: string, layer: LayerRecord): Tensor | undefined {
    const known = classifier.journal?.find(key);
    if (!known) return undefined;
    classifier.count(known.untold);
    return tensor(known.numbers, layer.shape.slice(1));
  }

  async function explainImage(image: Tensor, { layer, explained, target }: Wanted): Promise<StudyMap> {
    const { method, options } = explained;
    const made: AnyCamMethod = runMethods[method];
    const key = keyOf(image, { layer, explained, target });
    const coarseKnown = remembered.get(key) ?? fromJournal(key, layer);
    if (coarseKnown) {
      const finish = made.finish({ ...made.defaults, ...options });
      return {
        coarse: coarseKnown,
        ...finishMap(coarseKnown, finish, [model.graph.input.shape[1], model.graph.input.shape[2]]),
      };
    }
    await breathe(signal);
    const before = classifier.tally.forwards;
    const at = await (await probe(image)).at(layer.value, target);
    const { map, coarse, degenerate } = await explain(at, made, options);
    classifier.journal?.add([{ key, cost: classifier.tally.forwards - before, numbers: coarse.data }]);
    return { map, coarse, degenerate };
  }

  return {
    probe,
    explain: explainImage,
    remember: (image: Tensor, wanted: Wanted, coarse: Tensor) => void remembered.set(keyOf(image, wanted), coarse),
  };
}

function keyOf(image: Tensor, { layer, explained, target }: Wanted): string {
  const { method, options } = explained;
  return fingerprint('map', fingerprintOf(image), layer.value, method, JSON.stringify(options), String(target));
}

// activations and two walks at each layer, beside the image; within a gigabyte for all images at work
function probesKept({ model, layers }: Study, imagesAtOnce: number): number {
  const numbers = sizeOf(model.graph.input.shape) + layers.reduce((sum, { shape }) => sum + 3 * sizeOf(shape), 0);
  return Math.max(2, Math.min(64, Math.floor(1e9 / (4 * numbers * imagesAtOnce))));
}

function answerOf(
  logits: Float32Array<ArrayBuffer>,
  { study, image }: { readonly study: Study; readonly image: StudyImage },
): ImageRecord {
  const probabilities = softmax(logits);
  const { labels } = study.model;
  const answer = (index: number) => ({ index, label: labels[index], probability: probabilities[index] });
  const ranked = labels.map((_, index) => index).sort((a, b) => logits[b] - logits[a] || a - b);
  const predicted = argmax(logits);
  const target = classOf(study, image) ?? predicted;
  return {
    name: image.name,
    file: fromHere(image.file),
    sha256: image.sha256,
    ...(image.label !== undefined && { label: image.label }),
    predicted: answer(predicted),
    top3: ranked.slice(0, 3).map(answer),
    target: answer(target),
  };
}

/** 1 where the mask's picture is brighter than half. */
async function readMask(file: string, size: readonly [number, number], { model }: Study): Promise<Tensor> {
  const { data } = await readPicture(file, size, model.resize);
  return tensor(
    Float32Array.from({ length: size[0] * size[1] }, (_, pixel) => Number(data[3 * pixel] > 127)),
    size,
  );
}

// a probe outlives the call, and metrics write the next variants where these were
function kept({ data, shape }: Tensor): Tensor {
  return tensor(data.slice(), shape);
}

/** C×H×W → 1×C×H×W */
function batchOf({ data, shape }: Tensor): Tensor {
  return tensor(data, [1, ...shape]);
}

// ONNX Runtime holds the event loop while it computes: this lets ^C be heard
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
