import type { Spec } from 'vega';
import type { LayerRecord } from '../../study/records.ts';
import type { RankedEntrant } from '../analysis/rank-entrants.ts';
import { tableOf } from '../data-table.ts';
import { type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { colourScale, inks } from './theme.ts';

/**
 * The study's radar: an axis for each criterion, M + 1 − rank along it for M techniques, so that outside is better.
 *
 * @source spec 3.2
 */
export function rankRadar(study: Study, layer: LayerRecord, ranked: readonly RankedEntrant[]): Chart {
  const criteria = ranked[0].standings.map(({ criterion }) => criterion);
  const rows = ranked.flatMap(({ entrant, standings }) =>
    standings.map(({ criterion, rank }, index) => ({
      technique: techniqueTitle(study, entrant.technique),
      criterion: criterion.title,
      axis: index,
      rank,
      points: rank === null ? null : ranked.length + 1 - rank,
    })),
  );
  const titles = ranked.map(({ entrant }) => techniqueTitle(study, entrant.technique));
  return {
    id: `radar-${layer.folder}`,
    title: `Ranks at ${layer.name}`,
    description: `Radar of ranks at ${layer.name}. ${ranked
      .map(({ standings }, index) => `${titles[index]}: ${standings.map(({ rank }) => rank ?? 'none').join(', ')}`)
      .join('; ')}. In the order ${criteria.map(({ title }) => title).join(', ')}; rank 1 is best.`,
    spec: {
      vega: radarSpec({
        rows,
        titles,
        axes: criteria.map(({ title }, axis) => ({ axis, title })),
        colours: colourScale(study.techniques, titles).range,
      }),
    },
    data: tableOf(rows),
  };
}

interface RadarRequest {
  readonly rows: readonly object[];
  readonly titles: readonly string[];
  readonly axes: readonly { readonly axis: number; readonly title: string }[];
  readonly colours: readonly string[];
}

function radarSpec({ rows, titles, axes, colours }: RadarRequest): Spec {
  const rings = titles.flatMap((_, index) => axes.map(({ axis }) => ({ axis, points: index + 1 })));
  const angle = `2 * PI * datum.axis / ${axes.length} - PI / 2`;
  const place = (points: string) => [
    { type: 'formula', as: 'x', expr: `160 + scale('radius', ${points}) * cos(${angle})` },
    { type: 'formula', as: 'y', expr: `scale('radius', ${points}) * sin(${angle}) + 160` },
  ];
  const end = `${titles.length} * 1.1`;
  // Vega's types know transforms by their literal types only, which these records are built to
  const spec: object = {
    width: 320,
    height: 300,
    padding: 8,
    scales: [
      { name: 'radius', type: 'linear', domain: [0, titles.length], range: [0, 134] },
      { name: 'colour', type: 'ordinal', domain: titles, range: colours },
    ],
    data: [
      { name: 'rings', values: rings, transform: place('datum.points') },
      { name: 'axes', values: axes, transform: place(end) },
      { name: 'spokes', values: axes, transform: place(String(titles.length)) },
      { name: 'ranks', values: rows, transform: place('datum.points') },
    ],
    legends: [legend(titles.length)],
    marks: [rulers(), ...spokes(), polygons('ranks')],
  };
  return spec as Spec;
}

function legend(techniques: number): object {
  return { stroke: 'colour', fill: 'colour', symbolType: 'circle', columns: Math.min(techniques, 3) };
}

function rulers(): object {
  return {
    type: 'group',
    from: { facet: { name: 'ring', data: 'rings', groupby: 'points' } },
    marks: [
      {
        type: 'line',
        from: { data: 'ring' },
        encode: {
          enter: {
            interpolate: { value: 'linear-closed' },
            x: { field: 'x' },
            y: { field: 'y' },
            stroke: { value: inks.line.light },
          },
        },
      },
    ],
  };
}

function spokes(): object[] {
  return [
    {
      type: 'rule',
      from: { data: 'spokes' },
      encode: {
        enter: {
          x: { value: 160 },
          y: { value: 160 },
          x2: { field: 'x' },
          y2: { field: 'y' },
          stroke: { value: inks.line.light },
        },
      },
    },
    {
      type: 'text',
      from: { data: 'axes' },
      encode: {
        enter: {
          x: { field: 'x' },
          y: { signal: "datum.y < 60 ? datum.y - 13 * length(split(datum.title, ' ')) + 8 : datum.y" },
          text: { signal: "split(datum.title, ' ')" },
          align: { signal: "datum.x > 170 ? 'left' : datum.x < 150 ? 'right' : 'center'" },
          baseline: { signal: "datum.y < 60 ? 'bottom' : datum.y > 240 ? 'top' : 'middle'" },
          dx: { signal: 'datum.x > 170 ? 4 : datum.x < 150 ? -4 : 0' },
          lineHeight: { value: 13 },
          fill: { value: inks.muted.light },
        },
      },
    },
  ];
}

function polygons(data: string): object {
  const place = { x: { field: 'x' }, y: { field: 'y' } };
  return {
    type: 'group',
    from: { facet: { name: 'technique', data, groupby: 'technique' } },
    marks: [
      {
        type: 'line',
        from: { data: 'technique' },
        encode: {
          enter: {
            ...place,
            interpolate: { value: 'linear-closed' },
            defined: { signal: 'isValid(datum.points)' },
            stroke: { scale: 'colour', field: 'technique' },
            strokeWidth: { value: 2 },
            fill: { scale: 'colour', field: 'technique' },
            fillOpacity: { value: 0.07 },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: 'technique' },
        encode: {
          enter: {
            ...place,
            size: { signal: 'isValid(datum.points) ? 34 : 0' },
            fill: { scale: 'colour', field: 'technique' },
            stroke: { value: inks.paper.light },
          },
        },
      },
    ],
  };
}
