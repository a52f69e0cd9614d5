import type { Spec } from 'vega';
import type { LayerRecord } from '../../study/records.ts';
import type { CriterionTest } from '../analysis/test-criterion.ts';
import { tableOf } from '../data-table.ts';
import { formatRank } from '../numbers.ts';
import { type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { colourScale, inks } from './theme.ts';

/**
 * The critical-difference diagram: mean ranks on a line, and bars over techniques that Nemenyi's test cannot tell
 * apart.
 *
 * @returns null where there was no test
 * @source Demšar 2006, JMLR 7, figure 1
 */
export function differenceDiagram(study: Study, layer: LayerRecord, test: CriterionTest): Chart | null {
  if (test.friedman === null || test.criticalDifference === null) return null;
  const { averageRanks } = test.friedman;
  const titles = test.entrants.map(({ technique }) => techniqueTitle(study, technique));
  const order = titles.map((_, index) => index).sort((a, b) => averageRanks[a] - averageRanks[b]);
  const names = placeNames(order).map(({ entrant, side, line }) => ({
    technique: titles[entrant],
    rank: averageRanks[entrant],
    side,
    y: BASE + BAR_STEP * test.groups.length + 18 + 20 * line,
  }));
  const bars = test.groups.map((group, index) => ({
    low: Math.min(...group.map((entrant) => averageRanks[entrant])),
    high: Math.max(...group.map((entrant) => averageRanks[entrant])),
    y: BASE + 10 + BAR_STEP * index,
  }));
  const colours = colourScale(study.techniques, titles).range;
  const request = { names, bars, count: titles.length, distance: test.criticalDifference, titles, colours };
  return {
    id: `difference-${test.criterion.id}-${layer.folder}`,
    title: `${test.criterion.title} at ${layer.name}`,
    description: `Mean ranks under ${test.criterion.title} at ${layer.name}: ${order
      .map((entrant) => `${titles[entrant]} ${formatRank(averageRanks[entrant])}`)
      .join(', ')}; critical difference ${test.criticalDifference.toFixed(2)}.`,
    spec: { vega: diagramSpec(request) },
    data: tableOf(order.map((entrant) => ({ technique: titles[entrant], meanRank: averageRanks[entrant] }))),
  };
}

// the better half is named on the left, the other on the right, outermost first
function placeNames(order: readonly number[]) {
  const half = Math.ceil(order.length / 2);
  return order.map((entrant, position) => ({
    entrant,
    side: position < half ? 'left' : 'right',
    line: position < half ? position : order.length - 1 - position,
  }));
}

interface DiagramRequest {
  readonly names: readonly { readonly y: number; readonly side: string }[];
  readonly bars: readonly object[];
  readonly count: number;
  readonly distance: number;
  readonly titles: readonly string[];
  readonly colours: readonly string[];
}

function diagramSpec({ names, bars, count, distance, titles, colours }: DiagramRequest): Spec {
  const ends = { left: LEFT - 12, right: RIGHT + 12 };
  const spec: object = {
    width: 430,
    height: Math.max(...names.map(({ y }) => y)) + 8,
    padding: 6,
    scales: [
      { name: 'rank', type: 'linear', domain: [1, count], range: [LEFT, RIGHT] },
      { name: 'colour', type: 'ordinal', domain: titles, range: colours },
    ],
    data: [
      { name: 'ticks', values: Array.from({ length: count }, (_, index) => ({ rank: index + 1 })) },
      { name: 'names', values: names },
      { name: 'bars', values: bars },
      { name: 'scale', values: [{ distance, label: `CD ${distance.toFixed(2)}`, end: Math.min(1 + distance, count) }] },
    ],
    marks: [...axisMarks(count), ...distanceMarks(), ...nameMarks(ends), barMark()],
  };
  // Vega's types know marks by their literal types only, which these records are built to
  return spec as Spec;
}

const rank = (field: string) => ({ scale: 'rank', field });

function axisMarks(count: number): object[] {
  return [
    {
      type: 'rule',
      encode: {
        enter: {
          x: { scale: 'rank', value: 1 },
          x2: { scale: 'rank', value: count },
          y: { value: BASE },
          stroke: { value: inks.muted.light },
        },
      },
    },
    {
      type: 'rule',
      from: { data: 'ticks' },
      encode: {
        enter: { x: rank('rank'), y: { value: BASE }, y2: { value: BASE - 5 }, stroke: { value: inks.muted.light } },
      },
    },
    {
      type: 'text',
      from: { data: 'ticks' },
      encode: {
        enter: {
          x: rank('rank'),
          y: { value: BASE - 9 },
          text: { field: 'rank' },
          align: { value: 'center' },
          fill: { value: inks.muted.light },
        },
      },
    },
  ];
}

function distanceMarks(): object[] {
  const y = 9;
  return [
    {
      type: 'rule',
      from: { data: 'scale' },
      encode: {
        enter: {
          x: { scale: 'rank', value: 1 },
          x2: rank('end'),
          y: { value: y },
          stroke: { value: inks.text.light },
          strokeWidth: { value: 1.5 },
        },
      },
    },
    {
      type: 'text',
      from: { data: 'scale' },
      encode: {
        enter: { x: { scale: 'rank', value: 1 }, dx: { value: -8 }, y: { value: y }, ...textAt('right', 'label') },
      },
    },
  ];
}

function nameMarks(ends: { readonly left: number; readonly right: number }): object[] {
  const colour = { scale: 'colour', field: 'technique' };
  const end = { signal: `datum.side === 'left' ? ${ends.left} : ${ends.right}` };
  return [
    {
      type: 'rule',
      from: { data: 'names' },
      encode: { enter: { x: rank('rank'), y: { value: BASE }, y2: { field: 'y' }, stroke: colour } },
    },
    {
      type: 'rule',
      from: { data: 'names' },
      encode: { enter: { x: rank('rank'), x2: end, y: { field: 'y' }, stroke: colour } },
    },
    {
      type: 'symbol',
      from: { data: 'names' },
      encode: { enter: { x: rank('rank'), y: { value: BASE }, size: { value: 46 }, fill: colour } },
    },
    {
      type: 'text',
      from: { data: 'names' },
      encode: {
        enter: {
          x: end,
          dx: { signal: "datum.side === 'left' ? -5 : 5" },
          y: { field: 'y' },
          baseline: { value: 'middle' },
          align: { signal: "datum.side === 'left' ? 'right' : 'left'" },
          text: { field: 'technique' },
          limit: { value: LEFT - 12 },
          fill: { value: inks.text.light },
        },
      },
    },
  ];
}

function barMark(): object {
  return {
    type: 'rule',
    from: { data: 'bars' },
    encode: {
      enter: {
        x: { ...rank('low'), offset: -5 },
        x2: { ...rank('high'), offset: 5 },
        y: { field: 'y' },
        stroke: { value: inks.text.light },
        strokeWidth: { value: 3 },
        strokeCap: { value: 'round' },
      },
    },
  };
}

function textAt(align: string, field: string): object {
  return {
    text: { field },
    align: { value: align },
    baseline: { value: 'middle' },
    fill: { value: inks.muted.light },
  };
}

// pixels
const LEFT = 104;
const RIGHT = 326;
const BASE = 42;
const BAR_STEP = 9;
