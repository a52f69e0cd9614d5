import type { VNode } from 'preact';
import { type RankedEntrant, rankEntrants, type Standing } from '../analysis/rank-entrants.ts';
import { bestFirst, weakness } from '../analysis/state-findings.ts';
import { summariseScores } from '../analysis/summarise-scores.ts';
import { normalisedDots } from '../charts/normalised-dots.ts';
import { rankRadar } from '../charts/rank-radar.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import type { DataTable } from '../data-table.ts';
import { html, type Section } from '../html.ts';
import { formatRank, formatScore } from '../numbers.ts';
import { allEntrants, entrantsAt, rankedCriteria, type Study } from '../study.ts';
import { criterionHead, entrantTitle, techniqueName } from './shared.ts';
import { pageTable } from './table.ts';

/** The study's rank table, one for each layer and one for all. */
export function ranksSection({ study, keep }: ReportContext): Section {
  const layers = study.layers.map((layer) => ({ layer, ranked: rankEntrants(study, entrantsAt(study, layer)) }));
  const joint = rankEntrants(study, allEntrants(study));
  for (const { layer, ranked } of layers) keep(`ranks-${layer.folder}`, rankData(study, ranked));
  keep('ranks', rankData(study, joint));
  return {
    id: 'ranks',
    title: 'Rank table',
    body: html`
      ${layers.map(({ layer, ranked }) => html`<h3>${layer.name}</h3>${rankTable(study, ranked, `Ranks at ${layer.name}`)}`)}
      ${study.layers.length > 1 && html`<h3>All layers together</h3>${rankTable(study, joint, 'Ranks of all techniques at all layers')}`}
      <p class="caption"><b>How to read it.</b> In each cell the rank, 1 is best, and below it the mean score over the images. The arrow tells whether higher or lower scores are better.
        Techniques with equal means share their ranks. A technique without a score has no rank, and none with scores on fewer than half of the images that another has; a mean over fewer than all images says over how many. The mean rank is over the criteria under which all have a rank. ${weakness(study)}</p>`,
  };
}

/** The radar of ranks and, beside it, the scores themselves. */
export async function radarSection({ study, chart }: ReportContext): Promise<Section> {
  const charts: VNode[] = [];
  for (const layer of study.layers) {
    const entrants = entrantsAt(study, layer);
    const summaries = rankedCriteria(study).map((criterion) => summariseScores(study, criterion, entrants));
    if (rankedCriteria(study).length >= 3)
      charts.push(await chart(rankRadar(study, layer, rankEntrants(study, entrants))));
    charts.push(await chart(normalisedDots(study, layer, summaries)));
  }
  return {
    id: 'radar',
    title: 'Radar',
    body: html`${chartGrid(
      `On the radar every criterion is an axis and ranks are points on it, ${study.techniques.length} for the best, 1 for the last: outside is better, and the area means nothing. ` +
        'Ranks hide how close scores are, so the chart beside it shows the means with their 95 % bootstrap intervals, each criterion stretched from the worst end of any interval to the best. Where intervals overlap widely, a rank is weak evidence.',
      charts,
    )}`,
  };
}

function rankTable(study: Study, ranked: readonly RankedEntrant[], name: string): VNode {
  const criteria = rankedCriteria(study);
  const first = Math.min(...ranked.flatMap(({ place }) => place ?? []));
  const rows = bestFirst(ranked).map(({ entrant, standings, meanRank, place }) => [
    html`${techniqueName(study, entrant.technique)}${ranked.length > study.techniques.length ? html`<small> @ ${entrant.layer.name}</small>` : null}`,
    ...standings.map((standing, index) => standingCell(study, standing, bestOf(ranked, index))),
    html`<span class=${place === first ? 'rank best' : 'rank'}>${formatRank(meanRank)}</span>`,
  ]);
  const head = criteria.map((criterion) => ({ head: criterionHead(criterion), number: true as const }));
  return html`<div class="ranks">${pageTable(name, [{ head: 'Technique' }, ...head, { head: 'Mean rank', number: true }], rows)}</div>`;
}

function standingCell(study: Study, { rank, mean, count }: Standing, best: number | null): VNode {
  if (mean === null) return html`<span class="rank">–</span><small>no score</small>`;
  const few =
    count < study.images.length
      ? html`<abbr title=${`${count} of ${study.images.length} images have a score`}> n=${count}</abbr>`
      : null;
  const marked = rank !== null && rank === best;
  return html`<span class=${marked ? 'rank best' : 'rank'}>${formatRank(rank)}${marked && html`<span class="hidden"> best</span>`}</span><small>${formatScore(mean)}${few}</small>`;
}

function bestOf(ranked: readonly RankedEntrant[], column: number): number | null {
  const ranks = ranked.flatMap(({ standings }) => standings[column].rank ?? []);
  return ranks.length === 0 ? null : Math.min(...ranks);
}

function rankData(study: Study, ranked: readonly RankedEntrant[]): DataTable {
  const criteria = rankedCriteria(study);
  return {
    columns: [
      'technique',
      ...criteria.flatMap(({ title, better }) => [
        `${title} ${better === 'higher' ? '↑' : '↓'} rank`,
        `${title} mean`,
        `${title} images`,
      ]),
      'mean rank',
    ],
    rows: bestFirst(ranked).map(({ entrant, standings, meanRank }) => [
      entrantTitle(study, entrant),
      ...standings.flatMap(({ rank, mean, count }) => [rank, mean, count]),
      meanRank,
    ]),
  };
}
