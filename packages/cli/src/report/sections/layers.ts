import type { VNode } from 'preact';
import { compareLayers } from '../analysis/compare-layers.ts';
import { LEVEL } from '../analysis/test-criterion.ts';
import { layerSlopes } from '../charts/layer-slopes.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { counted, formatP, formatScore } from '../numbers.ts';
import { rankedCriteria, type Study } from '../study.ts';
import { criterionHead, techniqueName } from './shared.ts';
import { details, pageTable } from './table.ts';

/** Intermediate against last layer. */
export async function layersSection({ study, chart, keep }: ReportContext): Promise<Section> {
  if (study.layers.length < 2) {
    return {
      id: 'layers',
      title: 'Layer effect',
      body: html`<p class="note">The suite has one layer; name a second one to compare layers.</p>`,
    };
  }
  const compared = compareLayers(study);
  const charts: VNode[] = [];
  for (const criterion of rankedCriteria(study)) {
    const scored = compared.some((row) => row.criterion === criterion && (row.first ?? row.last) !== null);
    if (scored) charts.push(await chart(layerSlopes(study, criterion))); // an unfinished run may have no score yet
  }
  keep('layers', {
    columns: ['metric', 'technique', study.layers[0].name, study.layers[study.layers.length - 1].name, 'better', 'p'],
    rows: compared.map(({ criterion, technique, first, last, better, pValue }) => [
      ...[criterion.title, technique.id, first, last],
      better && layerOf(study, better),
      pValue,
    ]),
  });
  return {
    id: 'layers',
    title: 'Layer effect',
    body: html`<p>${summaryOf(study)}</p>
      ${chartGrid(
        'One line for each technique, from its mean score at one layer to that at the next. The axis says which way is better. Steep lines tell that the layer matters more than the technique.',
        charts,
      )}
      ${details('The two layers in numbers', layerTable(study))}`,
  };
}

function summaryOf(study: Study): string {
  const compared = compareLayers(study).filter(({ first, last }) => first !== null && last !== null);
  const ends = (['first', 'last'] as const).map((end) => ({
    name: layerOf(study, end),
    count: compared.filter(({ better }) => better === end).length,
    sure: compared.filter(({ better, pValue }) => better === end && pValue <= LEVEL).length,
  }));
  const said = ends.map(({ name, count, sure }) => `${name} is better in ${count} (significantly in ${sure})`);
  return `Of ${counted(compared.length, 'comparison')} of a technique under a criterion, ${said.join(', ')}.`;
}

function layerTable(study: Study): VNode {
  const number = true as const;
  const [first, last] = [layerOf(study, 'first'), layerOf(study, 'last')];
  return pageTable(
    'Layers compared',
    [
      { head: 'Criterion' },
      { head: 'Technique' },
      { head: first, number },
      { head: last, number },
      { head: 'Better' },
      { head: 'p after Holm', number },
    ],
    compareLayers(study).map((row) => [
      criterionHead(row.criterion),
      techniqueName(study, row.technique),
      formatScore(row.first),
      formatScore(row.last),
      row.better === null ? '–' : layerOf(study, row.better),
      html`<span class=${row.pValue <= LEVEL ? 'rank best' : undefined}>${formatP(row.pValue)}</span>`,
    ]),
  );
}

function layerOf({ layers }: Study, end: 'first' | 'last'): string {
  return layers[end === 'first' ? 0 : layers.length - 1].name;
}
