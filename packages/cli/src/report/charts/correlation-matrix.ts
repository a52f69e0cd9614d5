import type { Value } from '@cambium/metrics';
import type { TopLevelSpec } from 'vega-lite';
import { tableOf } from '../data-table.ts';
import { formatRank } from '../numbers.ts';
import type { Chart } from './chart.ts';
import { chartConfig } from './theme.ts';

/** What a matrix shows. */
export interface MatrixRequest {
  readonly id: string;
  readonly title: string;
  readonly names: readonly string[];
  /** −1 to 1, null where there is no correlation. */
  readonly values: readonly (readonly Value[])[];
}

/** Correlations as coloured squares with their numbers: blue agrees, orange opposes. */
export function correlationMatrix({ id, title, names, values }: MatrixRequest): Chart {
  const rows = names.flatMap((row, a) =>
    names.map((column, b) => ({ row, column, correlation: values[a][b], label: labelOf(values[a][b]) })),
  );
  return {
    id,
    title,
    description: `${title}. ${rows
      .filter(({ row, column }) => names.indexOf(row) < names.indexOf(column))
      .map(({ row, column, correlation }) => `${row} and ${column}: ${formatRank(correlation)}`)
      .join('; ')}.`,
    spec: { lite: matrixSpec(names, rows) },
    data: tableOf(rows.map(({ row, column, correlation }) => ({ row, column, correlation }))),
  };
}

function matrixSpec(names: readonly string[], rows: readonly object[]): TopLevelSpec {
  const axis = { title: null, labelLimit: 120 };
  const domain = [...names];
  const scale = { domain: [-1, 0, 1], range: ['#c4570a', '#f1f1ee', '#2558b8'], interpolate: 'rgb' as const };
  return {
    width: 440,
    height: 110 + 40 * names.length,
    autosize: { type: 'fit', contains: 'padding' },
    config: chartConfig,
    data: { values: [...rows] },
    encoding: {
      x: { field: 'column', type: 'nominal', scale: { domain }, axis: { ...axis, labelAngle: -35 } },
      y: { field: 'row', type: 'nominal', scale: { domain }, axis },
    },
    layer: [
      {
        mark: { type: 'rect', cornerRadius: 3, xOffset: 1, x2Offset: -1, yOffset: 1, y2Offset: -1 },
        encoding: { color: { field: 'correlation', type: 'quantitative', scale, legend: null } },
      },
      {
        mark: { type: 'text', fontSize: 11, fontWeight: 600 },
        encoding: {
          text: { field: 'label' },
          // squares keep their colours on a dark page, and so does the ink on them
          color: { condition: { test: 'abs(datum.correlation) > 0.55', value: '#fffffe' }, value: '#20242c' },
        },
      },
    ],
  };
}

function labelOf(value: Value): string {
  return value === null ? '–' : value.toFixed(2).replace('-', '−').replace('−0.00', '0.00');
}
