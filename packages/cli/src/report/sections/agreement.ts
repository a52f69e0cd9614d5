import type { VNode } from 'preact';
import { agreementOfCriteria, agreementOfMaps, agreementOfScores } from '../analysis/measure-agreement.ts';
import { meanOf, rankEntrants } from '../analysis/rank-entrants.ts';
import { bestFirst } from '../analysis/state-findings.ts';
import { correlationMatrix } from '../charts/correlation-matrix.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { formatShare } from '../numbers.ts';
import { entrantsAt, openStudy, type Study, techniqueTitle } from '../study.ts';
import { techniqueName } from './shared.ts';
import { pageTable } from './table.ts';

/** Do criteria agree on techniques, and techniques on images? */
export async function agreementSection({ study, pictures, chart }: ReportContext): Promise<Section> {
  const names = study.techniques.map((technique) => techniqueTitle(study, technique));
  const charts: VNode[] = [];
  const draw = async (id: string, title: string, matrix: { names: readonly string[]; values: (number | null)[][] }) => {
    if (matrix.names.length >= 2) charts.push(await chart(correlationMatrix({ id, title, ...matrix })));
  };
  const criteria = agreementOfCriteria(study);
  await draw('agreement-criteria', 'Criteria on techniques', {
    ...criteria,
    values: criteria.values.map((row) => [...row]),
  });
  for (const [index, layer] of study.layers.entries()) {
    const maps = agreementOfMaps(pictures.coarse[index]);
    await draw(`agreement-maps-${layer.folder}`, `Where techniques look, ${layer.name}`, { names, values: maps });
    const scores = agreementOfScores(study, layer);
    await draw(`agreement-scores-${layer.folder}`, `How techniques score images, ${layer.name}`, {
      names,
      values: scores,
    });
  }
  return {
    id: 'agreement',
    title: 'Agreement',
    body: html`${chartGrid(
      'Spearman’s rank correlation: 1 the same order, 0 nothing in common, −1 the reverse. Criteria: do two of them put the techniques at all layers in the same order, better ones first? Where techniques look: do two maps of an image rank its places alike, on average over the images? How techniques score images: do two techniques do well on the same images, on average over the criteria?',
      charts,
    )}<h3>By class</h3>${classTable(study)}`,
  };
}

// each class as a study of its own images
function classTable(study: Study): VNode {
  const classes = [...new Set(study.images.map(classOf))].sort();
  const rows = classes.map((name) => {
    const images = study.images.filter((image) => classOf(image) === name);
    const part = openStudy({ ...study, run: { ...study.run, images } });
    return [
      name,
      String(images.length),
      formatShare(meanOf(images.map(({ predicted }) => (predicted.label === name ? 1 : 0))) ?? 0, 0),
      ...study.layers.map((layer) => {
        const [best] = bestFirst(rankEntrants(part, entrantsAt(part, layer)));
        return best?.meanRank == null ? '–' : techniqueName(study, best.entrant.technique);
      }),
    ];
  });
  const number = true as const;
  return html`${pageTable(
    'Classes',
    [
      { head: 'Class' },
      { head: 'Images', number },
      { head: 'Predicted right', number },
      ...study.layers.map(({ name }) => ({ head: `Best at ${name}` })),
    ],
    rows,
  )}<p class="caption"><b>How to read it.</b> The class is what an image is labelled, or what is predicted where it has no label. Best is the smallest mean rank over the criteria on the images of the class; with an image or two it says little.</p>`;
}

function classOf({ label, predicted }: Study['images'][number]): string {
  return label ?? predicted.label;
}
