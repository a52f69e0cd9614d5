import type { TopLevelSpec } from 'vega-lite';
import { type Costs, secondsOf } from '../analysis/sum-costs.ts';
import { tableOf } from '../data-table.ts';
import { formatSeconds } from '../numbers.ts';
import { allEntrants, type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { chartConfig, colourScale } from './theme.ts';

/** Seconds of maps and of each criterion, cut by technique. */
export function costBars(study: Study, costs: Costs): Chart {
  const titles = study.techniques.map((technique) => techniqueTitle(study, technique));
  const maps = costs.maps.map(({ entrant, seconds }) => ({
    work: MAPS,
    technique: techniqueTitle(study, entrant.technique),
    layer: entrant.layer.name,
    seconds,
  }));
  const scores = study.criteria.flatMap((criterion) =>
    allEntrants(study).map((entrant) => ({
      work: criterion.title,
      technique: techniqueTitle(study, entrant.technique),
      layer: entrant.layer.name,
      seconds: secondsOf(study, criterion, entrant),
    })),
  );
  const rows = [...maps, ...scores];
  const works = [MAPS, ...study.criteria.map(({ title }) => title)];
  return {
    id: 'cost',
    title: 'Where the time went',
    description: `Seconds by work. ${works
      .map((work) => `${work}: ${formatSeconds(totalOf(rows, work))}`)
      .join('; ')}.`,
    spec: { lite: barsSpec(rows, works, colourScale(study.techniques, titles)) },
    data: tableOf(rows),
  };
}

function barsSpec(rows: readonly object[], works: string[], scale: ReturnType<typeof colourScale>): TopLevelSpec {
  return {
    width: 920,
    height: 90 + 32 * works.length,
    autosize: { type: 'fit', contains: 'padding' },
    config: chartConfig,
    data: { values: [...rows] },
    mark: { type: 'bar', cornerRadius: 2, height: { band: 0.68 } },
    encoding: {
      y: { field: 'work', type: 'nominal', scale: { domain: works }, axis: { title: null } },
      x: { field: 'seconds', type: 'quantitative', aggregate: 'sum', axis: { title: 'seconds', tickCount: 8 } },
      color: { field: 'technique', type: 'nominal', scale, legend: { columns: 6 } },
    },
  };
}

function totalOf(rows: readonly { readonly work: string; readonly seconds: number }[], work: string): number {
  return rows.filter((row) => row.work === work).reduce((sum, { seconds }) => sum + seconds, 0);
}

const MAPS = 'Maps';
