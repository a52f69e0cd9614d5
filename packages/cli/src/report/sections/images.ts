import type { VNode } from 'preact';
import { criteriaWithCurves, curveOf } from '../analysis/average-curves.ts';
import type { ImageJudgement } from '../analysis/judge-images.ts';
import { meanCurves } from '../charts/mean-curves.ts';
import type { ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { formatScore, formatShare } from '../numbers.ts';
import { entrantsAt } from '../study.ts';
import { gridWidth, imageAnchor, pictureCell } from './figures.ts';
import { criterionHead, techniqueName } from './shared.ts';
import { pageTable } from './table.ts';

/** Everything about each image, with a filter by class and an order by disagreement. */
export async function imagesSection(context: ReportContext): Promise<Section> {
  const { study, judgements } = context;
  const classes = [...new Set(judgements.map(({ image }) => classOf(image)))].sort();
  const cards: VNode[] = [];
  for (const judgement of judgements) cards.push(await imageCard(context, judgement));
  return {
    id: 'images',
    title: 'Image by image',
    body: html`
      <div class="toolbar" id="image-tools">
        <label>Class <select id="class-filter"><option value="">all</option>${classes.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
        <label>Order <select id="image-order"><option value="name">as in the suite</option><option value="disagreement">techniques disagree most</option><option value="outlying">most outlying scores</option></select></label>
        <button type="button" id="open-all">Open all</button>
        <output id="image-count" aria-live="polite">${judgements.length} of ${judgements.length} images</output>
      </div>
      <div id="image-cards">${cards}</div>
      <p class="caption"><b>How to read it.</b> Disagreement is 1 minus the mean rank correlation between the raw maps of the techniques: 0 when all point at the same places, about 1 when they have nothing in common.
        A score is outlying when it lies more than 1.5 interquartile ranges outside the quartiles of the ${study.images.length} images; an image with more than a tenth of them is flagged. Curves as in “Perturbation curves”.</p>`,
  };
}

async function imageCard(context: ReportContext, { image, disagreement, ...judged }: ImageJudgement): Promise<VNode> {
  const { study, pictures } = context;
  const wrong = image.label !== undefined && image.label !== image.predicted.label;
  return html`<details class="card" id=${imageAnchor(study, image)} data-class=${classOf(image)} data-disagreement=${disagreement ?? -1} data-outlying=${judged.outlying}>
    <summary>
      <span class="thumb">${pictureCell({ study, pictures, image })}</span>
      <span class="card-title"><b>${image.name}</b>
        <span class=${wrong ? 'class wrong' : 'class'}>${image.predicted.label} ${formatShare(image.predicted.probability)}${wrong && ` (labelled ${image.label})`}</span></span>
      <span class="badges">
        <span class="badge">disagreement ${disagreement === null ? '–' : disagreement.toFixed(2)}</span>
        ${judged.outlier && html`<span class="badge alert" title=${`${judged.outlying} of ${judged.scores} scores`}>outlier</span>`}
      </span>
    </summary>
    <div class="details-body">${topClasses(image)}${mapsOf(context, image)}${scoresOf(context, image)}
      <div class="charts">${await curvesOf(context, image)}</div></div>
  </details>`;
}

type Image = ImageJudgement['image'];

function topClasses({ top3, target, sha256, file }: Image): VNode {
  return html`<div class="top">${top3.map(
    ({
      label,
      probability,
      index,
    }) => html`<div class="class-row"><span>${label}${index === target.index && html` <small>explained</small>`}</span>
      <meter min="0" max="1" value=${probability} aria-label=${`probability of ${label}`}></meter><span class="number">${formatShare(probability)}</span></div>`,
  )}<p class="file"><code>${file}</code> <code title=${sha256}>${sha256.slice(0, 12)}</code></p></div>`;
}

function mapsOf({ study, pictures }: ReportContext, image: Image): VNode {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Maps of ${image.name}`}><table class="grid" style=${gridWidth(study.techniques.length)}>
    <thead><tr><th scope="col">${pictureCell({ study, pictures, image })}</th>${study.techniques.map((technique) => html`<th scope="col">${techniqueName(study, technique)}</th>`)}</tr></thead>
    <tbody>${study.layers.map(
      (layer) =>
        html`<tr><th scope="row">${layer.name}</th>${entrantsAt(study, layer).map((entrant) => html`<td>${pictureCell({ study, pictures, image, entrant })}</td>`)}</tr>`,
    )}</tbody></table></div>`;
}

function scoresOf({ study }: ReportContext, image: Image): VNode {
  const rows = study.layers.flatMap((layer) =>
    entrantsAt(study, layer).map((entrant) => [
      html`${techniqueName(study, entrant.technique)}<small> @ ${layer.name}</small>`,
      ...study.criteria.map((criterion) => {
        const row = study.row(criterion, entrant, image.name);
        if (row === undefined) return html`<span class="open" title="not run yet">…</span>`;
        if (row.value === null)
          return html`<abbr title=${row.error ?? row.reason ?? 'no reason given'}>${row.error ? 'failed' : 'none'}</abbr>`;
        return formatScore(row.value);
      }),
    ]),
  );
  const head = study.criteria.map((criterion) => ({ head: criterionHead(criterion), number: true as const }));
  return pageTable(`Scores of ${image.name}`, [{ head: 'Technique' }, ...head], rows);
}

async function curvesOf({ study, chart }: ReportContext, image: Image): Promise<VNode[]> {
  if (study.images.length > MOST_CURVES) return [];
  const drawn: VNode[] = [];
  const number = study.images.indexOf(image) + 1;
  for (const criterion of criteriaWithCurves(study)) {
    for (const layer of study.layers) {
      const curves = entrantsAt(study, layer).flatMap((entrant) => {
        const row = study.row(criterion, entrant, image.name);
        const curve = curveOf(row);
        if (row === undefined || curve === null) return [];
        const points = [...curve].map(([step, mean]) => ({ step, mean, low: mean, high: mean }));
        return [{ entrant, points, score: row.value, images: 1 }];
      });
      if (curves.length === 0) continue;
      const made = meanCurves(study, { criterion, layer, curves, image: image.name });
      drawn.push(await chart({ ...made, id: `curves-${criterion.id}-${layer.folder}-${number}` }));
    }
  }
  return drawn;
}

function classOf({ label, predicted }: Image): string {
  return label ?? predicted.label;
}

const MOST_CURVES = 40; // above it the page would grow past what a browser opens at ease
