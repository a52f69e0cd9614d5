import type { TopLevelSpec } from 'vega-lite';
import type { LayerRecord } from '../../study/records.ts';
import type { ScoreSummary } from '../analysis/summarise-scores.ts';
import { tableOf } from '../data-table.ts';
import { formatScore } from '../numbers.ts';
import { type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { chartConfig, colourScale, inks } from './theme.ts';

/**
 * The radar's honest twin: under every criterion the means and intervals of the techniques, stretched so that 0 is the
 * worst end of any interval and 1 the best.
 *
 * @param summaries those of each ranked criterion
 */
export function normalisedDots(
  study: Study,
  layer: LayerRecord,
  summaries: readonly (readonly ScoreSummary[])[],
): Chart {
  const titles = study.techniques.map((technique) => techniqueTitle(study, technique));
  const rows = summaries.flatMap((ofCriterion) => normalise(study, ofCriterion));
  const criteria = summaries.flatMap(([first]) => (first ? [first.criterion.title] : []));
  return {
    id: `dots-${layer.folder}`,
    title: `Scores at ${layer.name}`,
    description: `Normalised mean scores at ${layer.name}, 0 worst, 1 best. ${
      rows.map(({ criterion, technique, mean }) => `${criterion}, ${technique}: ${formatScore(mean)}`).join('; ') ||
      'No scores'
    }.`,
    spec: { lite: dotsSpec(rows, criteria, colourScale(study.techniques, titles)) },
    data: tableOf(rows),
  };
}

function dotsSpec(
  rows: readonly object[],
  criteria: readonly string[],
  scale: ReturnType<typeof colourScale>,
): TopLevelSpec {
  const color = {
    field: 'technique',
    type: 'nominal',
    scale,
    legend: { columns: 3, symbolOpacity: 1, symbolType: 'circle' },
  } as const;
  const axis = { title: null, values: [0, 1], labelExpr: "datum.value == 0 ? 'worst' : 'best'" };
  const x = { type: 'quantitative' as const, scale: { domain: [0, 1] }, axis };
  const intervals = {
    mark: { type: 'rule', strokeWidth: 2, opacity: 0.55 },
    encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color },
  } as const;
  const means = {
    mark: { type: 'circle', size: 80, opacity: 1, stroke: inks.paper.light },
    encoding: { x: { ...x, field: 'mean' }, color },
  } as const;
  const domain = [...criteria]; // Vega-Lite wants an array that may be changed
  const y = {
    field: 'criterion',
    type: 'nominal' as const,
    scale: { domain, paddingInner: 0.3 },
    axis: { title: null, labelLimit: 130 },
  };
  return {
    width: 448,
    height: Math.max(200, criteria.length * (12 * scale.domain.length + 14)) + 60,
    autosize: { type: 'fit', contains: 'padding' } as const,
    config: chartConfig,
    data: { values: [...rows] },
    encoding: { y, yOffset: { field: 'technique', type: 'nominal' as const, scale: { domain: scale.domain } } },
    layer: [intervals, means],
  };
}

function normalise(study: Study, summaries: readonly ScoreSummary[]) {
  const ends = summaries.flatMap(({ interval }) => (interval ? [interval.low, interval.high] : []));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return summaries.flatMap(({ criterion, entrant, summary, interval }) => {
    if (summary === null || interval === null) return [];
    // all equal: nobody is better, all stand in the middle
    const place = (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
    const good = (value: number) => (criterion.better === 'lower' ? 1 - place(value) : place(value));
    const [a, b] = [good(interval.low), good(interval.high)];
    return [
      {
        criterion: criterion.title,
        technique: techniqueTitle(study, entrant.technique),
        mean: good(summary.mean),
        low: Math.min(a, b),
        high: Math.max(a, b),
        score: summary.mean,
      },
    ];
  });
}
