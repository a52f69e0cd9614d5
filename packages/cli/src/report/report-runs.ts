import { join } from 'node:path';
import { fileSafe } from '../outputs.ts';
import { mergeRuns } from './merge-runs.ts';
import { readRun } from './read-run.ts';
import type { Study } from './study.ts';
import { writeMerged } from './write-merged.ts';
import { writeReport } from './write-report.ts';

/** A report that was written. */
export interface WrittenReport {
  readonly study: Study;
  /** Of `report.html`. */
  readonly path: string;
}

/**
 * Reports on one run, into its own folder unless told otherwise, or on several of one suite, merged into a folder of
 * their own: `runs/<suite>-merged`.
 *
 * @throws UsageError when a folder is no run, the suites differ or a file cannot be written
 */
export async function reportRuns(folders: readonly string[], out?: string): Promise<WrittenReport> {
  const study = mergeRuns(await Promise.all(folders.map(readRun)));
  const several = study.parts.length > 1;
  const folder = out ?? (several ? join('runs', `${fileSafe(study.run.suite.name)}-merged`) : folders[0]);
  if (several) await writeMerged(study, folder);
  return { study, path: await writeReport(study, folder) };
}
