import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { codeOf, UsageError } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import {
  type MapRow,
  mapRowSchema,
  type ResultRow,
  type RunRecord,
  resultRowSchema,
  runRecordSchema,
} from '../study/records.ts';
import { readRows } from '../study/rows.ts';
import { files } from '../study/run-files.ts';

/** A run folder as it lies on disk. */
export interface RunFolder {
  readonly folder: string;
  readonly run: RunRecord;
  readonly rows: readonly ResultRow[];
  readonly maps: readonly MapRow[];
  /** Lines that could not be read, apart from a torn last one. */
  readonly damaged: number;
}

/**
 * Reads a run, finished or not. A last line that was torn off in the middle is left out; of several lines with one key
 * the last counts.
 *
 * @throws UsageError when the folder is no run, or `run.json` is damaged; it names file and field
 */
export async function readRun(folder: string): Promise<RunFolder> {
  const path = join(folder, files.run);
  const text = await readFile(path, 'utf8').catch((error) => {
    const reason = codeOf(error) === 'ENOENT' ? `it has no ${files.run}` : reasonOf(error);
    throw new UsageError(`${folder} is not the folder of a run: ${reason}. Name a folder that cambium run wrote.`, {
      cause: error,
    });
  });
  const rows = readRows(join(folder, files.results), resultRowSchema);
  const maps = readRows(join(folder, files.maps), mapRowSchema);
  return {
    folder,
    run: parseAs(runRecordSchema, text, path),
    rows: rows.rows,
    maps: maps.rows,
    damaged: rows.damaged + maps.damaged,
  };
}

function parseAs<Value>(schema: z.ZodType<Value>, text: string, place: string): Value {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${place} is not JSON: the file is damaged. Restore it, or run the suite again.`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  const field = path.length > 0 ? ` at ${path.join('.')}` : '';
  throw new UsageError(
    `${place} is not as this version writes it${field}: ${message}. Use the version of cambium that wrote it.`,
  );
}
