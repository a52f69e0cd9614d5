import { costLine, stateFindings } from '../report/analysis/state-findings.ts';
import { rankLines } from '../report/rank-lines.ts';
import { reportRuns } from '../report/report-runs.ts';
import type { Surroundings } from '../surroundings.ts';

/**
 * Writes the report of a run, or of several runs or shards of one suite: `report.html`, its tables and its charts. Then
 * prints the rank tables and what was found.
 *
 * @throws UsageError when a folder is no run, the suites differ or a file cannot be written
 */
export async function reportCommand(
  folders: readonly string[],
  flags: { readonly out?: string },
  { ui }: Surroundings,
): Promise<void> {
  const { study, path } = await reportRuns(folders, flags.out);
  for (const line of rankLines(study)) ui.print(line);
  for (const line of stateFindings(study)) ui.print(line);
  ui.print(costLine(study));
  for (const absent of study.absent) ui.note(`Not in this report: ${absent}.`);
  ui.print(`\nReport: ${path}`);
}
