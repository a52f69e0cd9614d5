import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@cambium/gpu-kernels';
import { type Cell, openKeys } from './cells.ts';
import { addressOf, attempt, type ImageJob, makeMap, type Place, scoreCell } from './image-steps.ts';
import { type ImageWork, openImage } from './image-work.ts';
import type { StudyImage } from './images.ts';
import { openJournal } from './journal.ts';
import { files } from './run-files.ts';
import type { RunRequest } from './run-request.ts';
import { groupBy } from './shards.ts';
import { sideBySide } from './side-by-side.ts';
import { openTurns, type Turns } from './turns.ts';
import { workingClassifier } from './working-classifier.ts';

/**
 * Works through the cells, image by image: first the maps that are missing, then the scores. Each finished map and cell
 * is written before the image's next begins; what an unfinished image has cost is in its journal.
 *
 * A cell that fails is written with its error and the others go on.
 *
 * @throws the signal's reason when it is aborted; StorageError when a file cannot be written; with `failFast` the error
 * of the first cell that fails
 */
export async function runCells(given: RunRequest): Promise<void> {
  const stopping = new AbortController();
  const request = { ...given, signal: AbortSignal.any([given.signal, stopping.signal]) };
  const turns = request.imagesAtOnce > 1 ? openTurns() : undefined;
  await sideBySide({
    items: openOf(request),
    atOnce: request.imagesAtOnce,
    async work(open, { isFirst, makeRoom }) {
      request.signal.throwIfAborted();
      await workOn(request, open, { turns, alone: isFirst || !turns, makeRoom });
    },
    stop: (reason) => stopping.abort(reason),
  });
  removeEmpty(join(request.folder.path, files.partial));
}

/** The images that have something left to do. */
function* openOf(request: RunRequest): Generator<Open> {
  const { cells, folder, isRecorded } = request;
  for (const own of groupBy(cells, ({ image }) => image.name).values()) {
    const [{ image }] = own;
    const places = placesOf(own);
    const missing = places.filter((place) => !coarseOf(request, image, place));
    const bare = places.filter(
      (place) => !missing.includes(place) && !folder.hasPictures(addressOf(place, image.name)),
    );
    const pending = own.filter(({ key }) => !folder.finished.has(key));
    const left = pending.length + bare.length + missing.length;
    if (left > 0 || !isRecorded(image.name)) yield { own, missing, bare, pending };
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

interface Open {
  /** All cells of the image. */
  readonly own: readonly Cell[];
  readonly missing: readonly Place[];
  /** Places without final map and overlay: a kill came before they were written. */
  readonly bare: readonly Place[];
  readonly pending: readonly Cell[];
}

/** What the work on an image must know of the others. */
interface Beside {
  readonly turns: Turns | undefined;
  /** Whether they wait until its maps are made. */
  readonly alone: boolean;
  /** Lets the work on other images begin. */
  makeRoom(): void;
}

async function workOn(request: RunRequest, { own, missing, bare, pending }: Open, beside: Beside): Promise<void> {
  const { study, folder, events, signal, imagesAtOnce, total } = request;
  const { image } = own[0];
  using journal = openJournal(join(folder.path, files.partial, `${image.name}.bin`));
  const classifier = workingClassifier(request.classifier, { journal, turns: beside.turns, total });
  const work = await attempt(request, pending, () => openImage({ study, classifier, image, imagesAtOnce, signal }));
  if (!work) return;
  const estimate = await request.estimateOf(own);
  const untold = { forwards: classifier.tally.forwards };
  const job: ImageJob = { work, classifier, estimate, untold, alone: beside.alone };
  folder.addInput(work.picture);
  await events.onImage(work.record);
  recallMaps(request, work, own);
  for (const place of bare) await drawAgain(request, work, place);
  for (const place of missing) await makeMap(request, job, place);
  beside.makeRoom();
  let failed = 0;
  for (const cell of pending) {
    const { error } = await scoreCell(request, job, cell);
    if (error !== undefined) failed++;
  }
  folder.check();
  if (failed === 0) journal.remove();
}

/** The raw map that an earlier session made. */
function coarseOf({ study, folder }: RunRequest, image: StudyImage, place: Place): Tensor | undefined {
  return folder.findMap(openKeys(study).ofMap(image, place.layer, place.technique), addressOf(place, image.name));
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
