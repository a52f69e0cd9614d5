import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate, normalisePixels, type Ranges } from '@cambium/cam';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { writeAtomically } from '../io/atomic-write.ts';
import { readPicture } from '../io/image.ts';
import { type OpenedClassifier, openClassifier } from '../open-classifier.ts';
import type { Study } from './study.ts';

/** Images that int8 takes its ranges from, at most: the study's first. */
const CALIBRATED = 100;

/**
 * Opens the classifier that a study runs on, with room for every compiled network that one image needs. On the CPU it computes in
 * a thread of its own, so that metrics and files are worked on meanwhile.
 *
 * @param folder where the ranges of int8 are kept, so that a run that goes on rounds as it did; without one they are found anew
 * @throws UsageError, NameError or ModelError for what cannot be had
 */
export function openStudyClassifier(study: Study, device: string, folder?: string): Promise<OpenedClassifier> {
  const { model, layers, techniques, suite, precision } = study;
  // forward, variants of metrics; at each layer the masks of each convention and the walks
  const sessions = 4 + layers.length * (techniques.length + 1);
  return openClassifier({
    graph: model.graph,
    device,
    precision,
    ort: { maxBatch: suite.batch, sessions, thread: 'own' },
    ranges: () => keptRanges(study, folder),
  });
}

async function keptRanges(study: Study, folder: string | undefined): Promise<Ranges> {
  const file = folder === undefined ? undefined : join(folder, RANGES);
  if (file !== undefined && existsSync(file)) return readRanges(file, study);
  const ranges = await calibrate(study.model.graph, await picturesOf(study));
  if (file !== undefined) {
    await writeAtomically(file, JSON.stringify({ model: study.model.file.sha256, ranges }));
  }
  return ranges;
}

function readRanges(file: string, { model }: Study): Ranges {
  const read = rangesSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (read.success && read.data.model === model.file.sha256) return read.data.ranges;
  throw new UsageError(`${file} holds no ranges for ${model.file.name}: remove it, or run with --fresh.`);
}

async function picturesOf({ images, model }: Study) {
  const [, height, width] = model.graph.input.shape;
  const tensors = [];
  for (const { file } of images.slice(0, CALIBRATED)) {
    const picture = await readPicture(file, [height, width], model.resize);
    tensors.push(normalisePixels(picture.data, picture.size, model));
  }
  return tensors;
}

/** Name of the file in the run's folder. */
export const RANGES = 'int8-ranges.json';

const rangesSchema = z.object({
  model: z.string(),
  ranges: z.record(z.string(), z.tuple([z.number(), z.number()])),
});
