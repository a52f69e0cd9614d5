import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@cambium/gpu-kernels';
import { messageOf } from '../errors.ts';
import { type Cell, openKeys } from './cells.ts';
import type { ImageEstimate } from './estimate.ts';
import { type ImageWork, openImage } from './image-work.ts';
import type { StudyImage } from './images.ts';
import { openJournal } from './journal.ts';
import { markMemory } from './memory.ts';
import { files, type ImageRecord, type LayerRecord, type MapPlace, type MapRow, type ResultRow } from './records.ts';
import { NO_WORK, type Outcome, plainDetail, resultRow } from './result-row.ts';
import type { RunFolder } from './run-folder.ts';
import { groupBy } from './shards.ts';
import { StorageError } from './storage-error.ts';
import type { Study, StudyTechnique } from './study.ts';
import type { WorkingClassifier } from './working-classifier.ts';

/** What a run does, as it does it. */
export interface RunEvents {
  /** The image is open; its record will stand in `run.json`. */
  onImage(record: ImageRecord): Promise<void>;
  onMap(row: Omit<MapRow, 'coarse'>): void;
  onCell(row: ResultRow): void;
  /** Images classified of this step's work, as they are; `planned` for the whole step. */
  onStep(step: { readonly task: string; readonly planned: number }): void;
}

/** What is to be done, and where. */
export interface RunRequest {
  readonly study: Study;
  readonly classifier: WorkingClassifier;
  readonly folder: RunFolder;
  /** Unfinished and finished; the finished ones are skipped. */
  readonly cells: readonly Cell[];
  /** Whether an image is known from an earlier session, so that it need not be shown to the network for its record. */
  isRecorded(name: string): boolean;
  estimateOf(cells: readonly Cell[]): Promise<ImageEstimate>;
  readonly signal: AbortSignal;
  readonly failFast: boolean;
  readonly events: RunEvents;
  /** Seconds. */
  clock(): number;
}

/**
 * Works through the cells, image by image: first the maps that are missing, then the scores. Each finished map and cell
 * is written before the next begins; what an unfinished image has cost is in its journal.
 *
 * A cell that fails is written with its error and the others go on.
 *
 * @throws the signal's reason when it is aborted; StorageError when a file cannot be written; with `failFast` the error
 * of the first cell that fails
 */
export async function runCells(request: RunRequest): Promise<void> {
  const { cells, folder, isRecorded } = request;
  for (const own of groupBy(cells, ({ image }) => image.name).values()) {
    request.signal.throwIfAborted();
    const places = placesOf(own);
    const missing = places.filter((place) => !coarseOf(request, own[0].image, place));
    const bare = places.filter(
      (place) => !missing.includes(place) && !folder.hasPictures(addressOf(place, own[0].image.name)),
    );
    const pending = own.filter(({ key }) => !folder.finished.has(key));
    if (pending.length > 0 || bare.length > 0 || missing.length > 0 || !isRecorded(own[0].image.name)) {
      await workOn(request, own, { missing, bare, pending });
    }
  }
  removeEmpty(join(folder.path, files.partial));
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

interface Open {
  readonly missing: readonly Place[];
  /** Places without final map and overlay: a kill came before they were written. */
  readonly bare: readonly Place[];
  readonly pending: readonly Cell[];
}

interface Place {
  readonly layer: LayerRecord;
  readonly technique: StudyTechnique;
}

async function workOn(request: RunRequest, own: readonly Cell[], { missing, bare, pending }: Open): Promise<void> {
  const { study, classifier, folder, events, signal } = request;
  const { image } = own[0];
  using journal = openJournal(join(folder.path, files.partial, `${image.name}.bin`));
  classifier.journal = journal;
  try {
    const before = classifier.tally.forwards;
    const work = await attempt(request, pending, () => openImage({ study, classifier, image, signal }));
    if (!work) return;
    const untold = { forwards: classifier.tally.forwards - before };
    const estimate = await request.estimateOf(own);
    folder.addInput(work.picture);
    await events.onImage(work.record);
    recallMaps(request, work, own);
    for (const place of bare) await drawAgain(request, work, place);
    for (const place of missing) await makeMap(request, { work, place, estimate, untold, settle: journal.settle });
    let failed = 0;
    for (const cell of pending) {
      const planned = estimate.cells.get(cell.key)?.forwards ?? 0;
      const row = await scoreCell(request, { work, cell, planned, untold });
      journal.settle();
      if (row.error !== undefined) failed++;
    }
    folder.check();
    if (failed === 0) journal.remove();
  } finally {
    classifier.journal = undefined;
  }
}

/** Runs work that all the image's pending cells hang on: when it fails, they fail with its error. */
async function attempt<T>(
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

/** The raw map that an earlier session made. */
function coarseOf({ study, folder }: RunRequest, image: StudyImage, place: Place): Tensor | undefined {
  return folder.findMap(openKeys(study).ofMap(image, place.layer, place.technique), addressOf(place, image.name));
}

function addressOf({ layer, technique }: Place, image: string): MapPlace {
  return { layer: layer.folder, technique: technique.id, image };
}

async function drawAgain({ folder }: RunRequest, work: ImageWork, place: Place): Promise<void> {
  const made = await work.explain(place.layer, place.technique); // it is remembered
  folder.addPictures(addressOf(place, work.record.name), { ...made, picture: work.picture });
}

function recallMaps(request: RunRequest, work: ImageWork, own: readonly Cell[]): void {
  for (const place of placesOf(own)) {
    const coarse = coarseOf(request, own[0].image, place);
    if (coarse) work.remember(place.layer, place.technique, coarse);
  }
}

function placesOf(cells: readonly Cell[]): Place[] {
  const places = cells.map(({ layer, technique }) => ({ layer, technique }));
  return [...groupBy(places, ({ layer, technique }) => `${layer.value} ${technique.id}`).values()].map(
    ([first]) => first,
  );
}

/** Forward passes that no row has told yet: those that opened the image. The first row tells them. */
interface Untold {
  forwards: number;
}

/** @returns them, and forgets them */
function tell(untold: Untold): number {
  const { forwards } = untold;
  untold.forwards = 0;
  return forwards;
}

interface MapJob {
  readonly work: ImageWork;
  readonly place: Place;
  readonly estimate: ImageEstimate;
  readonly untold: Untold;
  settle(): void;
}

async function makeMap(request: RunRequest, { work, place, estimate, untold, settle }: MapJob): Promise<void> {
  const { study, classifier, folder, events, clock } = request;
  const { layer, technique } = place;
  const planned = estimate.maps.find((map) => map.layer === layer && map.technique === technique)?.work.forwards ?? 0;
  events.onStep({ task: `${technique.title} @ ${layer.name} · ${work.record.name}`, planned });
  const before = classifier.tally.forwards;
  const memory = markMemory();
  const start = clock();
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
      forwards: classifier.tally.forwards - before + tell(untold),
      seconds: clock() - start,
      memory: memory.read(),
      device: classifier.device,
    };
    folder.addMap(row, addressOf(place, image.name), { ...made, picture: work.picture });
    settle();
    events.onMap(row);
  } catch (error) {
    rethrow(request, error); // the cells that need the map fail with the same error, one by one
  }
}

async function scoreCell(
  request: RunRequest,
  {
    work,
    cell,
    planned,
    untold,
  }: { readonly work: ImageWork; readonly cell: Cell; readonly planned: number; readonly untold: Untold },
): Promise<ResultRow> {
  const { classifier, events, clock } = request;
  const { technique, layer, metric, image } = cell;
  events.onStep({ task: `${metric.name} · ${technique.title} @ ${layer.name} · ${image.name}`, planned });
  const before = classifier.tally.forwards;
  const explained = work.explanations();
  const start = clock();
  const outcome = await scoreOrError(request, () => work.score(cell));
  const used = {
    forwards: classifier.tally.forwards - before + tell(untold),
    explanations: work.explanations() - explained,
    seconds: clock() - start,
  };
  const row = resultRow(request, cell, { outcome, used });
  report(request, row);
  return row;
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

// a cell that fails is a result; a stop, a full disk or --fail-fast ends the run
function rethrow({ signal, failFast }: RunRequest, error: unknown): void {
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
