import { messageOf } from '../errors.ts';
import type { Cell } from './cells.ts';
import { openKeys } from './cells.ts';
import type { ImageEstimate } from './estimate.ts';
import type { ImageWork } from './image-work.ts';
import { markMemory } from './memory.ts';
import type { LayerRecord, ResultRow } from './records.ts';
import { NO_WORK, type Outcome, plainDetail, resultRow } from './result-row.ts';
import type { MapPlace } from './run-files.ts';
import type { RunRequest, RunStep } from './run-request.ts';
import { StorageError } from './storage-error.ts';
import type { StudyTechnique } from './study.ts';
import type { WorkingClassifier } from './working-classifier.ts';

/** The work on one image. */
export interface ImageJob {
  readonly work: ImageWork;
  /** The image's own. */
  readonly classifier: WorkingClassifier;
  readonly estimate: ImageEstimate;
  /** Forward passes that no row has told yet: those that opened the image. The first row tells them. */
  readonly untold: { forwards: number };
  /** Whether nothing else goes on in the process while its maps are made. */
  readonly alone: boolean;
}

/** Where a map is made. */
export interface Place {
  readonly layer: LayerRecord;
  readonly technique: StudyTechnique;
}

/** The place of a map in the run's folder. */
export function addressOf({ layer, technique }: Place, image: string): MapPlace {
  return { layer: layer.folder, technique: technique.id, image };
}

/** Makes a map and writes it. @throws as `rethrow` does */
export async function makeMap(request: RunRequest, job: ImageJob, place: Place): Promise<void> {
  const { study, folder, events } = request;
  const { work, classifier, estimate } = job;
  const { layer, technique } = place;
  const planned = estimate.maps.find((map) => map.layer === layer && map.technique === technique)?.work.forwards ?? 0;
  const meter = beginStep(request, job, { task: `${technique.title} @ ${layer.name}`, planned });
  const memory = job.alone ? markMemory() : undefined;
  try {
    const made = await work.explain(layer, technique);
    const image = study.images.find(({ name }) => name === work.record.name)!; // the work is on one of them
    const row = {
      key: openKeys(study).ofMap(image, layer, technique),
      image: image.name,
      layer: layer.name,
      technique: technique.id,
      target: work.record.target.index,
      degenerate: made.degenerate,
      ...meter.read(),
      memory: memory?.read(),
      device: classifier.device,
    };
    folder.addMap(row, addressOf(place, image.name), { ...made, picture: work.picture });
    classifier.journal?.settle();
    events.onMap(row);
  } catch (error) {
    rethrow(request, error); // the cells that need the map fail with the same error, one by one
  }
}

/** Scores a cell and writes its row, which is an error where the metric threw one. @throws as `rethrow` does */
export async function scoreCell(request: RunRequest, job: ImageJob, cell: Cell): Promise<ResultRow> {
  const { work, classifier, estimate } = job;
  const { technique, layer, metric } = cell;
  const planned = estimate.cells.get(cell.key)?.forwards ?? 0;
  const meter = beginStep(request, job, { task: `${metric.name} · ${technique.title} @ ${layer.name}`, planned });
  const explained = work.explanations();
  const outcome = await scoreOrError(request, () => work.score(cell));
  const used = { ...meter.read(), explanations: work.explanations() - explained };
  const row = resultRow(request, cell, { outcome, used });
  report(request, row);
  classifier.journal?.settle();
  return row;
}

/** Tells that a step begins, and what it has taken when it ends. */
function beginStep(
  { events, clock }: RunRequest,
  { work, classifier: { tally }, untold }: ImageJob,
  { task, planned }: Pick<RunStep, 'task' | 'planned'>,
): { read(): Pick<ResultRow, 'forwards' | 'seconds'> } {
  const { name } = work.record;
  const before = { ...tally };
  const start = clock();
  events.onStep({ image: name, task: `${task} · ${name}`, planned, done: () => tally.forwards - before.forwards });
  return {
    read() {
      const forwards = tally.forwards - before.forwards + untold.forwards;
      untold.forwards = 0;
      return { forwards, seconds: Math.max(0, clock() - start - (tally.waited - before.waited)) };
    },
  };
}

async function scoreOrError(request: RunRequest, score: () => ReturnType<ImageWork['score']>): Promise<Outcome> {
  try {
    const found = await score();
    if (found.value === null) return { value: null, reason: found.reason };
    return { value: found.value, ...(found.detail && { detail: plainDetail(found.detail) }) };
  } catch (error) {
    rethrow(request, error);
    return { value: null, error: messageOf(error) };
  }
}

/**
 * Throws what ends a run: a stop, a full disk, any error under `--fail-fast`. Of others it does nothing: a cell that fails is a
 * result.
 */
export function rethrow({ signal, failFast }: RunRequest, error: unknown): void {
  if (signal.aborted) throw signal.reason;
  if (error instanceof StorageError) throw error;
  if (failFast) throw new FailFastError(messageOf(error), { cause: error });
}

/** The first cell that failed, where that was to end the run. */
class FailFastError extends Error {
  override readonly name = 'FailFastError';
}

function report({ folder, events }: RunRequest, row: ResultRow): void {
  folder.addResult(row);
  events.onCell(row);
}

/** Runs work that all the image's pending cells hang on: when it fails, they fail with its error. @throws as `rethrow` does */
export async function attempt<T>(
  request: RunRequest,
  pending: readonly Cell[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    rethrow(request, error);
    for (const cell of pending)
      report(request, resultRow(request, cell, { outcome: { value: null, error: messageOf(error) }, used: NO_WORK }));
    return undefined;
  }
}
