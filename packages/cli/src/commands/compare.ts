import { UsageError } from '../errors.ts';
import { table } from '../render/table.ts';
import { compareMaps, type MapComparison } from '../report/analysis/compare-maps.ts';
import { comparePlaces, type PlaceComparison } from '../report/analysis/compare-places.ts';
import { compareRuns, type RunComparison } from '../report/analysis/compare-runs.ts';
import { mergeRuns } from '../report/merge-runs.ts';
import { formatP, formatRank, formatScore } from '../report/numbers.ts';
import { readRun } from '../report/read-run.ts';
import { type Study, techniqueTitle } from '../report/study.ts';
import type { Surroundings } from '../surroundings.ts';

/**
 * Prints the paired differences of two runs, how far their maps are apart, and which techniques change places.
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
  for (const line of placeLines(a, comparePlaces(a, b))) ui.print(line);
  for (const line of mapLines(a, await compareMaps(a, b))) ui.print(line);
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

/** Techniques whose place by mean rank over the images is another in run b. */
function placeLines(study: Study, compared: readonly PlaceComparison[]): string[] {
  const changed = compared.flatMap(({ criterion, layer, places }) =>
    places
      .filter(({ before, after }) => before !== after)
      .map(({ entrant, before, after }) => [
        criterion.title,
        layer.name,
        techniqueTitle(study, entrant.technique),
        `${formatRank(before)} → ${formatRank(after)}`,
      ]),
  );
  const rankings = compared.filter(({ moved }) => moved > 0).length;
  const places = compared.reduce((sum, own) => sum + own.places.length, 0);
  const words = `${changed.length} of ${places} places are others in b, in ${rankings} of ${compared.length} rankings (criterion × layer, by mean rank over the images).`;
  return [
    '',
    words,
    ...(changed.length === 0 ? [] : table(['criterion', 'layer', 'technique', 'place a → b'], changed)),
  ];
}

function mapLines(study: Study, compared: readonly MapComparison[]): string[] {
  if (compared.length === 0) return ['', 'The runs have no map of the same image, layer and technique in common.'];
  const rows = compared.map(({ entrant, images, largest, at, spearman }) => [
    `${techniqueTitle(study, entrant.technique)} @ ${entrant.layer.name}`,
    String(images),
    largest === 0 ? '0' : largest.toExponential(1),
    largest === 0 ? '–' : at,
    spearman === null ? '–' : spearman.toFixed(5),
  ]);
  return ['', ...table(['maps, 0 to 1', 'n', 'largest |b − a|', 'at', 'least Spearman'], rows)];
}

const HEAD = ['criterion', 'technique', 'n', 'a', 'b', 'b − a', '95 % interval', 'p (Holm)', 'verdict'];
