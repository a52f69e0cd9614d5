import type { VNode } from 'preact';
import { type ScoreSummary, summariseScores } from '../analysis/summarise-scores.ts';
import { scoreStrip } from '../charts/score-strip.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import type { DataTable } from '../data-table.ts';
import { html, type Section } from '../html.ts';
import { formatScore } from '../numbers.ts';
import { allEntrants, entrantsAt, type Study, techniqueTitle } from '../study.ts';
import { criterionHead, techniqueName } from './shared.ts';
import { details, pageTable } from './table.ts';

/** Every image's score, with means and intervals. */
export async function scoresSection({ study, chart, keep }: ReportContext): Promise<Section> {
  const summaries = study.criteria.map((criterion) => summariseScores(study, criterion, allEntrants(study)));
  keep('scores', summaryData(study, summaries.flat()));
  keep('raw-scores', rawData(study));
  const parts: VNode[] = [];
  for (const [index, criterion] of study.criteria.entries()) {
    const charts: VNode[] = [];
    for (const layer of study.layers) {
      const here = summariseScores(study, criterion, entrantsAt(study, layer));
      charts.push(await chart(scoreStrip(study, { criterion, layer, summaries: here })));
    }
    parts.push(html`<h3>${criterionHead(criterion)} <small>${criterion.category}</small></h3>
      <div class="charts">${charts}</div>
      ${details(`${criterion.title} in numbers`, summaryTable(study, criterion.title, summaries[index]))}`);
  }
  return {
    id: 'scores',
    title: 'Scores',
    body: html`${parts}${chartGrid(
      'A dot is one image, the diamond the mean over images, the bar its 95 % bootstrap interval. Scores of different criteria cannot be compared with one another. ' +
        'With few images the intervals are too narrow rather than too wide: percentile intervals of small samples cover less than they say.',
      [],
    )}`,
  };
}

function summaryTable(study: Study, name: string, summaries: readonly ScoreSummary[]): VNode {
  const rows = summaries.map((row) => [
    html`${techniqueName(study, row.entrant.technique)}<small> @ ${row.entrant.layer.name}</small>`,
    formatScore(row.summary?.mean),
    row.interval ? `${formatScore(row.interval.low)} to ${formatScore(row.interval.high)}` : '–',
    formatScore(row.summary?.median),
    formatScore(row.summary?.standardDeviation),
    String(row.summary?.count ?? 0),
    faultsOf(row),
  ]);
  const number = true as const;
  return pageTable(
    name,
    [
      { head: 'Technique' },
      { head: 'Mean', number },
      { head: '95 % interval', number },
      { head: 'Median', number },
      { head: 'Deviation', number },
      { head: 'n', number },
      { head: 'Without a score' },
    ],
    rows,
  );
}

function faultsOf({ failed, undefined: none, open }: ScoreSummary): string {
  const said = [failed > 0 && `${failed} failed`, none > 0 && `${none} undefined`, open > 0 && `${open} not run`];
  return said.filter(Boolean).join(', ') || 'none';
}

function summaryData(study: Study, summaries: readonly ScoreSummary[]): DataTable {
  return {
    columns: [
      ...['metric', 'technique', 'layer', 'better', 'mean', 'low95', 'high95', 'median', 'deviation'],
      ...['n', 'failed', 'undefined', 'open'],
    ],
    rows: summaries.map((row) => [
      row.criterion.title,
      techniqueTitle(study, row.entrant.technique),
      row.entrant.layer.name,
      row.criterion.better,
      row.summary?.mean ?? null,
      row.interval?.low ?? null,
      row.interval?.high ?? null,
      row.summary?.median ?? null,
      row.summary?.standardDeviation ?? null,
      row.summary?.count ?? 0,
      row.failed,
      row.undefined,
      row.open,
    ]),
  };
}

function rawData(study: Study): DataTable {
  return {
    columns: ['image', 'label', 'predicted', 'layer', 'technique', 'metric', 'value', 'reason'],
    rows: study.criteria.flatMap((criterion) =>
      allEntrants(study).flatMap((entrant) =>
        study.images.flatMap(({ name, label, predicted }) => {
          const row = study.row(criterion, entrant, name);
          const { id } = entrant.technique;
          const about = [name, label ?? null, predicted.label, entrant.layer.name, id, criterion.title] as const;
          return row ? [[...about, row.value, row.error ?? row.reason ?? null]] : [];
        }),
      ),
    ),
  };
}
