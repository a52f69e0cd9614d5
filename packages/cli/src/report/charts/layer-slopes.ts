import type { TopLevelSpec } from 'vega-lite';
import { meanOf } from '../analysis/rank-entrants.ts';
import { tableOf } from '../data-table.ts';
import { formatScore } from '../numbers.ts';
import { type RankedCriterion, type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { chartConfig, colourScale, inks } from './theme.ts';

/** Mean scores from layer to layer, a line for each technique. */
export function layerSlopes(study: Study, criterion: RankedCriterion): Chart {
  const titles = study.techniques.map((technique) => techniqueTitle(study, technique));
  const rows = study.layers.flatMap((layer) =>
    study.techniques.flatMap((technique, index) => {
      const mean = meanOf(study.scores(criterion, { technique, layer }));
      return mean === null ? [] : [{ technique: titles[index], layer: layer.name, mean }];
    }),
  );
  return {
    id: `layers-${criterion.id}`,
    title: criterion.title,
    description: `Mean ${criterion.title} by layer. ${rows
      .map(({ technique, layer, mean }) => `${technique} at ${layer}: ${formatScore(mean)}`)
      .join('; ')}.`,
    spec: { lite: slopesSpec(study, criterion, rows) },
    data: tableOf(rows),
  };
}

function slopesSpec(study: Study, { better }: RankedCriterion, rows: readonly object[]): TopLevelSpec {
  const titles = study.techniques.map((technique) => techniqueTitle(study, technique));
  const scale = colourScale(study.techniques, titles);
  return {
    width: 340,
    height: 270 + 10 * titles.length,
    autosize: { type: 'fit', contains: 'padding' },
    config: chartConfig,
    data: { values: [...rows] },
    encoding: {
      x: {
        field: 'layer',
        type: 'nominal',
        scale: { type: 'point', domain: study.layers.map(({ name }) => name), padding: 0.3 },
        axis: { title: null, labelAngle: 0, labelFontSize: 12 },
      },
      y: {
        field: 'mean',
        type: 'quantitative',
        scale: { zero: false },
        axis: { title: `mean, ${better} is better`, tickCount: 5 },
      },
      color: { field: 'technique', type: 'nominal', scale, legend: { columns: 2 } },
    },
    layer: [
      { mark: { type: 'line', strokeWidth: 2 } },
      { mark: { type: 'circle', size: 80, opacity: 1, stroke: inks.paper.light } },
    ],
  };
}
