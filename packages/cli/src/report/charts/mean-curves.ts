import type { LayerRecord } from '../../study/records.ts';
import type { Curve } from '../analysis/average-curves.ts';
import { tableOf } from '../data-table.ts';
import { formatScore } from '../numbers.ts';
import { type Criterion, type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { chartConfig, colourScale } from './theme.ts';

/** What a chart of curves shows. */
export interface CurvesRequest {
  readonly criterion: Criterion;
  readonly layer: LayerRecord;
  readonly curves: readonly Curve[];
  /** Where the curves are those of one image. */
  readonly image?: string;
}

/** Mean curves with their bands, the score of each in the legend. */
export function meanCurves(study: Study, { criterion, layer, curves, image }: CurvesRequest): Chart {
  const named = curves.map((curve) => ({ curve, title: techniqueTitle(study, curve.entrant.technique) }));
  const rows = named.flatMap(({ curve, title }) =>
    curve.points.map(({ step, mean, low, high }) => ({ technique: title, step, mean, low, high })),
  );
  const all = colourScale(
    study.techniques,
    study.techniques.map((technique) => techniqueTitle(study, technique)),
  );
  const range = named.map(({ title }) => all.range[all.domain.indexOf(title)]);
  const legends = named.map(({ curve, title }) => `${title}  ${formatScore(curve.score)}`);
  const where = image === undefined ? `at ${layer.name}` : `of ${image} at ${layer.name}`;
  const spec = curvesSpec(rows, { titles: named.map(({ title }) => title), range, legends, criterion, band: !image });
  return {
    id: `curves-${criterion.id}-${layer.folder}${image === undefined ? '' : `-${image}`}`,
    title: `${criterion.title} ${where}`,
    description: `Curves ${where} of ${criterion.title}, with scores ${legends.join('; ')}.`,
    spec: { lite: spec },
    data: tableOf(rows),
  };
}

interface CurveLook {
  readonly titles: readonly string[];
  readonly range: readonly string[];
  readonly legends: readonly string[];
  readonly criterion: Criterion;
  readonly band: boolean;
}

function curvesSpec(rows: readonly object[], { titles, range, legends, criterion, band }: CurveLook) {
  const labelExpr = `${JSON.stringify(legends)}[indexof(${JSON.stringify(titles)}, datum.value)]`;
  const color = {
    field: 'technique',
    type: 'nominal',
    scale: { domain: [...titles], range: [...range] },
    legend: { columns: 2, labelExpr, symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3, symbolSize: 160 },
  } as const;
  const y = {
    type: 'quantitative',
    scale: { zero: false },
    axis: { title: valueTitle(criterion), tickCount: 5 },
  } as const;
  const area = {
    mark: { type: 'area', opacity: 0.13 },
    encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
  } as const;
  const line = {
    mark: { type: 'line', strokeWidth: 2 },
    encoding: { y: { ...y, field: 'mean' }, color },
  } as const;
  return {
    width: 448,
    height: 300 + 10 * titles.length,
    autosize: { type: 'fit', contains: 'padding' },
    config: chartConfig,
    data: { values: [...rows] },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        scale: { nice: false },
        axis: { title: stepTitle(criterion), grid: false, tickCount: 6, tickMinStep: 1 },
      },
    },
    layer: band ? [area, line] : [line],
  } as const;
}

function stepTitle({ options }: Criterion): string {
  if (typeof options.patchSize === 'number') return `regions of ${options.patchSize}×${options.patchSize} replaced`;
  return 'steps';
}

function valueTitle({ options }: Criterion): string {
  return options.output === 'logit' ? 'logit of the class' : 'probability of the class';
}
