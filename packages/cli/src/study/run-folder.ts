import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Tensor } from '@cambium/gpu-kernels';
import { UsageError } from '../errors.ts';
import { reasonOf, writeAtomically, writeAtomicallyNow } from '../io/atomic-write.ts';
import { encodeImage, type Picture } from '../io/image.ts';
import { decodeNpy, encodeNpy } from '../io/npy.ts';
import { sha256 } from '../io/sha256.ts';
import { colormaps } from '../render/colormap.ts';
import { overlay } from '../render/overlay.ts';
import type { Cell } from './cells.ts';
import type { StudyMap } from './image-work.ts';
import { openLater } from './later.ts';
import {
  type MapRow,
  mapRowSchema,
  type ResultRow,
  type RunRecord,
  resultRowSchema,
  runRecordSchema,
} from './records.ts';
import { openRows, type RowFile, readRows } from './rows.ts';
import { files, type MapPlace } from './run-files.ts';
import { StorageError } from './storage-error.ts';

/** A run's folder: what is finished in it, and where more is written. */
export interface RunFolder extends Disposable {
  readonly path: string;
  /** As an earlier session left it. */
  readonly record: RunRecord | undefined;
  /** By key; failed cells are not among them, they are tried again. */
  readonly finished: ReadonlyMap<string, ResultRow>;
  readonly failed: ReadonlyMap<string, ResultRow>;
  /** Lines that could not be read. */
  readonly damaged: number;
  /** The raw map under a key, as it was written; undefined where it is not, or not any more. */
  findMap(key: string, place: MapPlace): Tensor | undefined;
  /** Whether final map and overlay are there. */
  hasPictures(place: MapPlace): boolean;
  /** Writes the raw map and its row; final map and overlay follow while the work goes on. */
  addMap(row: Omit<MapRow, 'coarse'>, place: MapPlace, made: DrawnMap): void;
  /** Writes final map and overlay alone, while the work goes on. */
  addPictures(place: MapPlace, made: DrawnMap): void;
  addResult(row: ResultRow): void;
  /** While the work goes on. */
  addInput(picture: Picture): void;
  /** @throws StorageError when something could not be written while the work went on */
  check(): void;
  /** Waits for what is being written. @throws StorageError when some of it could not be */
  flush(): Promise<void>;
  save(record: RunRecord): Promise<void>;
}

/** A map, and the image to draw it over. */
export interface DrawnMap extends StudyMap {
  readonly picture: Picture;
}

/**
 * Opens a run's folder to work in it. Rows that belong to no cell of the study any more, because a parameter changed,
 * go to `superseded.jsonl`; those that belong again come back from there.
 *
 * @param cells all cells of the study
 * @throws StorageError when its files cannot be read or written, UsageError when `run.json` is another format's
 */
export async function openRunFolder(path: string, cells: readonly Cell[]): Promise<RunFolder> {
  const results = join(path, files.results);
  const read = readRows(results, resultRowSchema);
  await sortOut(path, { rows: read.rows, keys: new Set(cells.map(({ key }) => key)) });
  const { rows } = readRows(results, resultRowSchema);
  const maps = new Map(readRows(join(path, files.maps), mapRowSchema).rows.map((row) => [row.key, row]));
  const resultFile: RowFile<ResultRow> = openRows(results);
  const mapFile: RowFile<MapRow> = openRows(join(path, files.maps));
  const later = openLater();
  const addPictures = (place: MapPlace, { map, picture }: DrawnMap) => {
    const pixels = overlay({ image: picture, map, colours: colormaps.turbo, alpha: ALPHA });
    later.add(async () => store(path, files.overlay(place), await encodeImage(pixels, 'webp')));
    later.add(() => store(path, files.map(place), encodeNpy(map)));
  };
  return {
    path,
    record: readRun(path),
    finished: byKey(rows.filter(({ error }) => error === undefined)),
    failed: byKey(rows.filter(({ error }) => error !== undefined)),
    damaged: read.damaged,
    findMap: (key, place) => findMap(path, place, maps.get(key)),
    hasPictures: (place) => [files.map(place), files.overlay(place)].every((name) => existsSync(join(path, name))),
    addMap(row, place, made) {
      later.check();
      const raw = encodeNpy(made.coarse);
      storeNow(path, files.coarse(place), raw);
      mapFile.append({ ...row, coarse: sha256(raw) });
      addPictures(place, made);
    },
    addPictures,
    addResult(row) {
      later.check();
      resultFile.append(row);
    },
    addInput: (picture) =>
      later.add(async () => store(path, files.input(picture.name), await encodeImage(picture, 'webp'))),
    check: later.check,
    flush: later.flush,
    save: (record) => store(path, files.run, `${JSON.stringify(record, null, 1)}\n`),
    [Symbol.dispose]: () => {
      resultFile[Symbol.dispose]();
      mapFile[Symbol.dispose]();
    },
  };
}

/** Reads `run.json`; undefined where there is none. @throws UsageError when it is not one, or of another format */
export function readRun(path: string): RunRecord | undefined {
  const file = join(path, files.run);
  if (!existsSync(file)) return undefined;
  try {
    return runRecordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UsageError(
      `${file} is not the record of a run that this version reads. Choose another folder with -o, or take it away.`,
      { cause: error },
    );
  }
}

/** A final map of a run, H×W. */
export async function readMap(path: string, place: MapPlace) {
  return decodeNpy(await readFile(join(path, files.map(place))));
}

// the file is read by its digest: a kill between file and row, or a hand, may have put another map there
function findMap(path: string, place: MapPlace, row: MapRow | undefined): Tensor | undefined {
  const file = join(path, files.coarse(place));
  if (!row || !existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  return sha256(bytes) === row.coarse ? decodeNpy(bytes) : undefined;
}

async function sortOut(
  path: string,
  { rows, keys }: { readonly rows: readonly ResultRow[]; readonly keys: ReadonlySet<string> },
): Promise<void> {
  const superseded = join(path, SUPERSEDED);
  const earlier = readRows(superseded, resultRowSchema).rows;
  const have = new Set(rows.map(({ key }) => key));
  const back = earlier.filter(({ key }) => keys.has(key) && !have.has(key));
  const away = rows.filter(({ key }) => !keys.has(key));
  if (back.length === 0 && away.length === 0) return;
  // first where nothing can be lost: a kill between the two leaves a row in both files, which does no harm
  const kept = [...earlier.filter(({ key }) => !have.has(key)), ...away];
  await store(path, SUPERSEDED, linesOf(kept));
  await store(path, files.results, linesOf([...rows.filter(({ key }) => keys.has(key)), ...back]));
}

async function store(folder: string, name: string, bytes: Uint8Array | string): Promise<void> {
  const path = join(folder, name);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeAtomically(path, bytes);
  } catch (error) {
    throw notStored(path, error);
  }
}

/** For a few bytes: quicker than waiting for a turn of the event loop. */
function storeNow(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeAtomicallyNow(path, bytes);
  } catch (error) {
    throw notStored(path, error);
  }
}

function notStored(path: string, error: unknown): StorageError {
  const cause = error instanceof UsageError ? error.cause : error; // the words of a run, not of a single file
  return new StorageError(path, reasonOf(cause), { cause });
}

function linesOf(rows: readonly ResultRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function byKey(rows: readonly ResultRow[]): Map<string, ResultRow> {
  return new Map(rows.map((row) => [row.key, row]));
}

const SUPERSEDED = 'superseded.jsonl';
const ALPHA = 0.5;
