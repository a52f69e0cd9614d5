import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Tensor } from '@cambium/gpu-kernels';
import { UsageError } from '../errors.ts';
import { reasonOf, writeAtomically } from '../io/atomic-write.ts';
import { encodeImage, type Picture } from '../io/image.ts';
import { decodeNpy, encodeNpy } from '../io/npy.ts';
import { sha256 } from '../io/sha256.ts';
import { colormaps } from '../render/colormap.ts';
import { overlay } from '../render/overlay.ts';
import type { Cell } from './cells.ts';
import type { StudyMap } from './image-work.ts';
import {
  files,
  type MapPlace,
  type MapRow,
  mapRowSchema,
  type ResultRow,
  type RunRecord,
  resultRowSchema,
  runRecordSchema,
} from './records.ts';
import { openRows, type RowFile, readRows } from './rows.ts';
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
  addMap(row: Omit<MapRow, 'coarse'>, place: MapPlace, made: StudyMap & { readonly picture: Picture }): Promise<void>;
  addResult(row: ResultRow): void;
  addInput(picture: Picture): Promise<void>;
  save(record: RunRecord): Promise<void>;
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
  return {
    path,
    record: readRun(path),
    finished: byKey(rows.filter(({ error }) => error === undefined)),
    failed: byKey(rows.filter(({ error }) => error !== undefined)),
    damaged: read.damaged,
    findMap: (key, place) => findMap(path, place, maps.get(key)),
    async addMap(row, place, { map, coarse, picture }) {
      const pixels = overlay({ image: picture, map, colours: colormaps.turbo, alpha: ALPHA });
      const raw = encodeNpy(coarse);
      await store(path, files.coarse(place), raw);
      await store(path, files.overlay(place), await encodeImage(pixels, 'webp'));
      await store(path, files.map(place), encodeNpy(map));
      mapFile.append({ ...row, coarse: sha256(raw) });
    },
    addResult: (row) => resultFile.append(row),
    addInput: async (picture) => store(path, files.input(picture.name), await encodeImage(picture, 'webp')),
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

// the file is read by its digest: a kill between two files, or a hand, may have put another map there
function findMap(path: string, place: MapPlace, row: MapRow | undefined): Tensor | undefined {
  const file = join(path, files.coarse(place));
  if (!row || ![file, join(path, files.map(place)), join(path, files.overlay(place))].every(existsSync))
    return undefined;
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
    const cause = error instanceof UsageError ? error.cause : error; // the words of a run, not of a single file
    throw new StorageError(path, reasonOf(cause), { cause });
  }
}

function linesOf(rows: readonly ResultRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function byKey(rows: readonly ResultRow[]): Map<string, ResultRow> {
  return new Map(rows.map((row) => [row.key, row]));
}

const SUPERSEDED = 'superseded.jsonl';
const ALPHA = 0.5;
