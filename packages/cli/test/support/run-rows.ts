import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mapRowSchema, type ResultRow, resultRowSchema, runRecordSchema } from '../../src/study/records.ts';
import { readRows } from '../../src/study/rows.ts';
import { files } from '../../src/study/run-files.ts';

/** The rows of a run's folder by key, without what differs from run to run: seconds and forwards. */
export function scoresOf(folder: string): Map<string, Omit<ResultRow, 'seconds' | 'forwards'>> {
  return new Map(rowsOf(folder).map(({ seconds: _, forwards: __, ...row }) => [row.key, row]));
}

/** The rows of a run's folder. */
export function rowsOf(folder: string): readonly ResultRow[] {
  return readRows(join(folder, files.results), resultRowSchema).rows;
}

/** Images classified for maps and cells together, as the rows tell. */
export function forwardsOf(folder: string): number {
  const maps = readRows(join(folder, files.maps), mapRowSchema).rows;
  return [...maps, ...rowsOf(folder)].reduce((sum, { forwards }) => sum + forwards, 0);
}

/** Lines of `results.jsonl`. */
export function linesOf(folder: string): string[] {
  return readFileSync(join(folder, files.results), 'utf8').split('\n').slice(0, -1);
}

/** `run.json` */
export function recordOf(folder: string) {
  return runRecordSchema.parse(JSON.parse(readFileSync(join(folder, files.run), 'utf8')));
}
