import type { VNode } from 'preact';
import { weakness } from '../analysis/state-findings.ts';
import { type CriterionTest, LEVEL, testCriterion } from '../analysis/test-criterion.ts';
import { differenceDiagram } from '../charts/difference-diagram.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import type { DataTable } from '../data-table.ts';
import { html, type Section } from '../html.ts';
import { formatP } from '../numbers.ts';
import { entrantsAt, rankedCriteria, type Study, techniqueTitle } from '../study.ts';
import { criterionHead } from './shared.ts';
import { details, pageTable } from './table.ts';

/** Which differences are more than chance. */
export async function significanceSection({ study, chart, keep }: ReportContext): Promise<Section> {
  const tests = rankedCriteria(study).flatMap((criterion) =>
    study.layers.map((layer) => testCriterion(study, criterion, entrantsAt(study, layer))),
  );
  const charts: VNode[] = [];
  for (const test of tests) {
    const diagram = differenceDiagram(study, test.entrants[0].layer, test);
    if (diagram) charts.push(await chart(diagram));
  }
  keep('significance', pairData(study, tests));
  const few = study.images.length < FEW_IMAGES;
  return {
    id: 'significance',
    title: 'Significance',
    body: html`
      <p class=${few ? 'warning' : 'note'}>${few && html`<b>Weak evidence.</b> `}${weakness(study) || 'With one image or one technique nothing can be tested.'} Images of one data set are not the world: a significant difference holds for images like these.</p>
      ${friedmanTable(study, tests)}
      ${
        charts.length > 0 &&
        chartGrid(
          'Techniques stand at their mean ranks over the images, 1 is best. The black bars join techniques that Nemenyi’s test at 0.05 cannot tell apart; CD is the distance that it needs. Where Friedman’s p above is over 0.05 the diagram shows chance.',
          charts,
        )
      }
      ${details('Every pair: Wilcoxon’s signed-rank test', pairTable(study, tests))}`,
  };
}

// below it ranks change with a single image, and the χ² of Friedman's test is rough
const FEW_IMAGES = 30;

function friedmanTable(study: Study, tests: readonly CriterionTest[]): VNode {
  const number = true as const;
  const rows = rankedCriteria(study).map((criterion) => [
    criterionHead(criterion),
    ...tests
      .filter((test) => test.criterion === criterion)
      .map(({ friedman }) => {
        if (friedman === null) return html`<span title="fewer than three techniques or two complete images">–</span>`;
        const words = `χ² ${friedman.statistic.toFixed(2)}, n=${friedman.blocks}`;
        const sure = friedman.pValue <= LEVEL;
        return html`<span class=${sure ? 'rank best' : 'rank'}>${formatP(friedman.pValue)}</span><small>${words}</small>`;
      }),
  ]);
  const head = study.layers.map(({ name }) => ({ head: `${name}: p`, number }));
  return html`<h3>Do the techniques differ at all?</h3>
    <div class="ranks">${pageTable('Friedman’s test', [{ head: 'Criterion' }, ...head], rows)}</div>
    <p class="caption"><b>How to read it.</b> Friedman’s test asks whether the techniques’ ranks over the images are further apart than chance would have them; p at most 0.05 is marked. n counts the images with every score. The χ² approximation is rough below ten images.</p>`;
}

function pairTable(study: Study, tests: readonly CriterionTest[]): VNode {
  const number = true as const;
  const rows = pairsOf(study, tests).map(({ criterion, layer, better, worse, pair }) => [
    `${criterion}, ${layer}`,
    better,
    worse,
    formatP(pair.pValue),
    html`<span class=${pair.adjustedPValue <= LEVEL ? 'rank best' : undefined}>${formatP(pair.adjustedPValue)}</span>`,
    Math.abs(pair.effectSize).toFixed(2),
    String(pair.pairs),
  ]);
  return html`${pageTable(
    'Pairwise tests',
    [
      { head: 'Criterion' },
      { head: 'Better' },
      { head: 'Worse' },
      { head: 'p', number },
      { head: 'p after Holm', number },
      { head: 'Effect', number },
      { head: 'n', number },
    ],
    rows,
  )}<p class="caption"><b>How to read it.</b> Each pair on the same images. Holm’s correction makes one false alarm among all pairs of a criterion as unlikely as p says. The effect is the rank-biserial correlation: 1 where one technique is better on every image, 0 where neither is. n counts the images on which the two differ.</p>`;
}

function pairsOf(study: Study, tests: readonly CriterionTest[]) {
  return tests.flatMap(({ criterion, entrants, pairs }) =>
    pairs.map((pair) => {
      const titles = [pair.first, pair.second].map((index) => techniqueTitle(study, entrants[index].technique));
      const [better, worse] = pair.effectSize >= 0 ? titles : [titles[1], titles[0]];
      return { criterion: criterion.title, layer: entrants[0].layer.name, better, worse, pair };
    }),
  );
}

function pairData(study: Study, tests: readonly CriterionTest[]): DataTable {
  return {
    columns: ['metric', 'layer', 'better', 'worse', 'p', 'p Holm', 'effect size', 'pairs'],
    rows: pairsOf(study, tests).map(({ criterion, layer, better, worse, pair }) => [
      criterion,
      layer,
      better,
      worse,
      pair.pValue,
      pair.adjustedPValue,
      Math.abs(pair.effectSize),
      pair.pairs,
    ]),
  };
}
