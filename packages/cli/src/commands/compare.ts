import { UsageError } from '../errors.ts';
import { table } from '../render/table.ts';
import { compareRuns, type RunComparison } from '../report/analysis/compare-runs.ts';
import { mergeRuns } from '../report/merge-runs.ts';
import { formatP, formatScore } from '../report/numbers.ts';
import { readRun } from '../report/read-run.ts';
import { techniqueTitle } from '../report/study.ts';
import type { Surroundings } from '../surroundings.ts';

/**
 * Prints the paired differences of two runs.
 *
 * @returns false when something is worse or lost in the second run and that was asked to count as a failure
 * @throws UsageError when a folder is no run or the two have nothing in common
 */
export async function compareCommand(
  folders: { readonly a: string; readonly b: string },
  flags: { readonly failOn?: string },
  { ui }: Surroundings,
): Promise<boolean> {
  if (flags.failOn !== undefined && flags.failOn !== 'worse') {
    throw new UsageError(`--fail-on takes worse, got "${flags.failOn}".`);
  }
  const [a, b] = [mergeRuns([await readRun(folders.a)]), mergeRuns([await readRun(folders.b)])];
  const { rows, notes } = compareRuns(a, b);
  for (const note of notes) ui.note(note);
  if (rows.every(({ images, verdict }) => images === 0 && verdict !== 'lost')) {
    throw new UsageError(
      `${folders.a} and ${folders.b} have no score of the same image, layer, technique and criterion in common.`,
    );
  }
  const lines = rows.map((row) => [
    row.criterion.title,
    `${techniqueTitle(a, row.entrant.technique)} @ ${row.entrant.layer.name}`,
    ...numbersOf(row),
  ]);
  for (const line of table(HEAD, lines)) ui.print(line);
  const count = (verdict: string) => rows.filter((row) => row.verdict === verdict).length;
  ui.print(`\n${count('better')} better, ${count('worse')} worse, ${count('same')} the same, ${count('lost')} lost.`);
  return flags.failOn === undefined || count('worse') + count('lost') === 0;
}

function numbersOf({ images, before, after, difference, interval, pValue, verdict }: RunComparison): string[] {
  const range = interval ? `${formatScore(interval.low)} to ${formatScore(interval.high)}` : '–';
  return [
    String(images),
    formatScore(before),
    formatScore(after),
    formatScore(difference),
    range,
    formatP(pValue),
    verdict,
  ];
}

const HEAD = ['criterion', 'technique', 'n', 'a', 'b', 'b − a', '95 % interval', 'p (Holm)', 'verdict'];
