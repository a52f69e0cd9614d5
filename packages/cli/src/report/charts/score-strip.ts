import type { LayerRecord } from '../../study/records.ts';
import { meanOf } from '../analysis/rank-entrants.ts';
import type { ScoreSummary } from '../analysis/summarise-scores.ts';
import { tableOf } from '../data-table.ts';
import { formatScore } from '../numbers.ts';
import { type Criterion, type Study, techniqueTitle } from '../study.ts';
import type { Chart } from './chart.ts';
import { chartConfig, colourScale, inks } from './theme.ts';

/** What a strip plot shows. */
export interface StripRequest {
  readonly criterion: Criterion;
  readonly layer: LayerRecord;
  readonly summaries: readonly ScoreSummary[];
}

/** Every image's score as a point, the mean and its interval over them, one line for each technique. */
export function scoreStrip(study: Study, { criterion, layer, summaries }: StripRequest): Chart {
  const titles = study.techniques.map((technique) => techniqueTitle(study, technique));
  const points = summaries.flatMap(({ entrant }) =>
    study.scores(criterion, entrant).map((value, index) => ({
      technique: techniqueTitle(study, entrant.technique),
      image: study.images[index].name,
      value,
    })),
  );
  const means = summaries.flatMap(({ entrant, interval }) => {
    const mean = meanOf(study.scores(criterion, entrant));
    return mean === null || interval === null
      ? []
      : [{ technique: techniqueTitle(study, entrant.technique), mean, ...interval }];
  });
  return {
    id: `scores-${criterion.id}-${layer.folder}`,
    title: `${criterion.title} at ${layer.name}`,
    description: `${criterion.title} at ${layer.name}: ${inWords(means)}.`,
    spec: {
      lite: {
        width: 420,
        height: 34 * titles.length + 44,
        autosize: { type: 'fit', contains: 'padding' },
        config: chartConfig,
        encoding: { y: { field: 'technique', type: 'nominal', scale: { domain: titles }, axis: { title: null } } },
        layer: stripLayers(points, means, {
          title: `${criterion.title}${arrowOf(criterion)}`,
          scale: colourScale(study.techniques, titles),
        }),
      },
    },
    data: tableOf(points),
  };
}

/** Which way is better, for the title of an axis. */
export function arrowOf({ better }: Criterion): string {
  if (better === null) return '';
  return better === 'higher' ? ' (higher is better →)' : ' (← lower is better)';
}

interface Mean {
  readonly technique: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

function inWords(means: readonly Mean[]): string {
  const words = means.map(
    ({ technique, mean, low, high }) =>
      `${technique} mean ${formatScore(mean)}, interval ${formatScore(low)} to ${formatScore(high)}`,
  );
  return words.join('; ') || 'no scores';
}

function stripLayers(
  points: readonly object[],
  means: readonly Mean[],
  { title, scale }: { readonly title: string; readonly scale: ReturnType<typeof colourScale> },
) {
  const color = { field: 'technique', type: 'nominal', scale, legend: null } as const;
  const x = (field: string) =>
    ({ field, type: 'quantitative', scale: { zero: false, nice: true }, axis: { title, tickCount: 5 } }) as const;
  const images = {
    data: { values: [...points] },
    mark: { type: 'circle', size: 34, opacity: 0.45 },
    encoding: { x: x('value'), color },
  } as const;
  const intervals = {
    data: { values: [...means] },
    mark: { type: 'rule', strokeWidth: 2.5 },
    encoding: { x: x('low'), x2: { field: 'high' }, color },
  } as const;
  const middles = {
    data: { values: [...means] },
    mark: { type: 'point', shape: 'diamond', size: 90, filled: true, opacity: 1, stroke: inks.paper.light },
    encoding: { x: x('mean'), color },
  } as const;
  return [images, intervals, middles];
}
