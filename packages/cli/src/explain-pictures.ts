import {
  type AnyCamMethod,
  argmax,
  type Classifier,
  type Explanation,
  explain,
  methods,
  normalisePixels,
  probeImage,
  softmax,
} from '@cambium/cam';
import type { Shape } from '@cambium/gpu-kernels';
import type { Picture } from './io/image.ts';
import type { PreparedModel } from './prepared-model.ts';
import type { TargetChoice } from './targets.ts';
import type { Technique } from './techniques.ts';

/** A layer to explain at. */
export interface LayerChoice {
  /** As it was asked for, such as `layer4`. */
  readonly name: string;
  /** The value of the graph that it stands for. */
  readonly value: string;
  /** channels×height×width, where it can be told before the network runs */
  readonly shape?: Shape;
}

/** Every picture × layer × technique, with what it needs. */
export interface ExplainJob {
  readonly classifier: Classifier;
  readonly model: PreparedModel;
  readonly pictures: readonly Picture[];
  readonly layers: readonly LayerChoice[];
  readonly techniques: readonly Technique[];
  readonly target: TargetChoice;
  readonly batch?: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** `done` and `total` count forward passes of one image, estimated; `map` the maps, from 1. */
  onProgress?(state: {
    readonly done: number;
    readonly total: number;
    readonly task: string;
    readonly map: number;
  }): void;
}

/** A class with the network's confidence in it. */
export interface ClassAnswer {
  readonly index: number;
  readonly label: string;
  /** After softmax. */
  readonly probability: number;
}

/** One explanation, with where it came from. */
export interface Finding {
  readonly picture: Picture;
  readonly layer: LayerChoice;
  /** channels×height×width of the layer */
  readonly shape: Shape;
  readonly technique: Technique;
  readonly predicted: ClassAnswer;
  readonly target: ClassAnswer;
  readonly explanation: Explanation;
  /** Forward passes of masked images that the map took; 0 for methods that mask nothing. */
  readonly maskedForwards: number;
}

/**
 * Explains pictures, layer by layer: a classifier keeps the networks compiled that one layer needs, not those of all.
 *
 * @throws the signal's reason when it is aborted
 */
export async function* explainPictures(job: ExplainJob): AsyncGenerator<Finding> {
  const tally = openTally(job);
  for (const layer of job.layers) {
    for (const picture of job.pictures) {
      const image = normalisePixels(picture.data, picture.size, job.model);
      const { batch, seed, signal } = job;
      const probe = await probeImage(job.classifier, image, {
        layers: [layer.value],
        batch,
        seed,
        signal,
        onMasked: tally.within,
      });
      const { predicted, target } = readAnswer(probe.logits, job);
      const at = await probe.at(layer.value, target.index);
      for (const technique of job.techniques) {
        await breathe(signal);
        tally.begin(picture, layer, technique);
        const method: AnyCamMethod = methods[technique.method];
        const explanation = await explain(at, method, technique.options);
        yield {
          picture,
          layer,
          shape: at.activations.shape,
          technique,
          predicted,
          target,
          explanation,
          maskedForwards: tally.end(),
        };
      }
    }
  }
}

function readAnswer(logits: Float32Array<ArrayBuffer>, { model, target }: ExplainJob) {
  const probabilities = softmax(logits);
  const answer = (index: number) => ({ index, label: model.labels[index], probability: probabilities[index] });
  const predicted = answer(argmax(logits));
  return { predicted, target: target === 'top1' ? predicted : answer(target) };
}

// ONNX Runtime holds the event loop while it computes: this lets ^C be heard
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** Counts the work of a job in forward passes, so that the time left is honest: nearly all of it is Score-CAM's. */
function openTally({ pictures, layers, techniques, onProgress }: ExplainJob) {
  const ofPicture = layers.flatMap(({ shape }) => techniques.map(({ passes }) => passes(shape)));
  const total = pictures.length * ofPicture.reduce((sum, passes) => sum + passes, 0);
  let finished = 0;
  let current = { passes: 0, task: '', masked: 0 };
  let map = 0;
  const report = (part: number) => onProgress?.({ done: finished + part, total, task: current.task, map });
  return {
    begin(picture: Picture, layer: LayerChoice, technique: Technique): void {
      current = {
        passes: technique.passes(layer.shape),
        task: `${technique.title} @ ${layer.name} · ${picture.name}`,
        masked: 0,
      };
      map++;
      report(0);
    },
    within(done: number, of: number): void {
      current.masked = of;
      report((current.passes * done) / Math.max(of, 1));
    },
    end(): number {
      finished += current.passes;
      report(0);
      return current.masked;
    },
  };
}
