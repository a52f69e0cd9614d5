import type { VNode } from 'preact';
import { formatBytes } from '../../bytes.ts';
import { type Costs, sumCosts } from '../analysis/sum-costs.ts';
import { costBars } from '../charts/cost-bars.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { formatCount, formatSeconds, formatShare } from '../numbers.ts';
import type { Study } from '../study.ts';
import { criterionHead, entrantTitle, techniqueName } from './shared.ts';
import { pageTable } from './table.ts';

/** Forwards and seconds. */
export async function costSection({ study, chart, keep }: ReportContext): Promise<Section> {
  const costs = sumCosts(study);
  keep('cost', {
    columns: ['work', 'items', 'forwards', 'seconds', 'memory added (bytes)'],
    rows: [
      ...costs.maps.map(({ entrant, maps, forwards, seconds, growth }) => [
        `maps, ${entrantTitle(study, entrant)}`,
        ...[maps, forwards, seconds, growth],
      ]),
      ...costs.criteria.map((row) => [row.criterion.title, row.cells, row.forwards, row.seconds, null]),
    ],
  });
  const devices = [...new Set([study.run.device, ...study.parts.map(({ run }) => run.device)])];
  return {
    id: 'cost',
    title: 'Cost',
    body: html`<p>${totals(costs)} Computed on ${devices.join(' and ')}.</p>
      ${dearest(study, costs)}
      ${chartGrid(
        'Seconds spent on the maps and on each criterion, cut by technique. What cells share, such as a sweep of an image, is on the account of the first that asked for it.',
        [await chart(costBars(study, costs))],
      )}
      <h3>Maps</h3>${mapTable(study, costs)}
      <h3>Scores</h3>${criterionTable(costs)}
      ${againstLoop(costs)}`,
  };
}

function totals({ classifierShare, forwards, seconds, peak }: Costs): string {
  if (forwards === 0) return 'No image has been classified yet.';
  const all = `${formatCount(forwards)} images classified in ${formatSeconds(seconds)}${seconds > 0 ? `, ${formatCount(forwards / seconds)} per second` : ''}`;
  const memory = peak === null ? '' : ` While maps were made, at most ${formatBytes(peak)} of memory were in use.`;
  return `${all}${classifierShare === null ? ' as the rows tell: the bills of most sessions are not here.' : within(classifierShare)}${memory}`;
}

function within(share: number): string {
  return `; ${formatShare(share)} of the time the classifier was at work: compiling the network for what is asked of it, and computing it, forward and backward. The other ${formatShare(1 - share)} is time in which it had nothing to do, from the start of the command to the last row: loading, and images, metrics and files where they do not go on beside it. Figures and report, which are made of the rows, are not in it.`;
}

/** What sharing and batches save. */
function againstLoop({ loop, seconds }: Costs): VNode | null {
  if (loop === null) return null;
  const { images, timing } = loop;
  const number = true as const;
  const times = (large: number, small: number) => `${(large / small).toFixed(1)}×`;
  return html`<h3>Against a plain loop</h3>${pageTable(
    'Cost of a plain loop',
    [{ head: 'What' }, { head: 'Plain loop', number }, { head: 'This run', number }, { head: 'Ratio', number }],
    [
      [
        'Images classified (counted)',
        formatCount(images.loop),
        formatCount(images.run),
        times(images.loop, images.run),
      ],
      [
        'Seconds for a masked image (measured)',
        formatSeconds(timing.single),
        formatSeconds(timing.batched),
        times(timing.single, timing.batched),
      ],
      [
        'Seconds in all (the loop’s reckoned)',
        formatSeconds(loop.seconds),
        formatSeconds(seconds),
        times(loop.seconds, seconds),
      ],
    ],
  )}<p class="caption"><b>How to read it.</b> The loop makes the same maps and scores, keeps nothing from one cell to the next and classifies one image at a time. What it would classify is counted from the metrics’ own costs: an upper bound where a cost depends on the map. Seconds for an image were measured when the run began, on ${timing.images} masked images of Score-CAM one after another, made in JavaScript and classified alone, and on a batch of ${timing.batch}, made where the network computes. The loop’s seconds in all are the two multiplied: forward passes alone, without its metrics.</p>`;
}

/** The technique whose maps took longest. */
function dearest(study: Study, { maps }: Costs): VNode | null {
  const total = (id: string, of: 'seconds' | 'forwards') =>
    maps.filter(({ entrant }) => entrant.technique.id === id).reduce((sum, row) => sum + row[of], 0);
  const all = maps.reduce((sum, row) => sum + row.seconds, 0);
  const [first] = [...study.techniques].sort((a, b) => total(b.id, 'seconds') - total(a.id, 'seconds'));
  const took = first ? total(first.id, 'seconds') : 0;
  if (study.techniques.length < 2 || took === 0) return null;
  const images = total(first.id, 'forwards');
  return html`<p>${techniqueName(study, first)} took ${formatSeconds(took)} of the ${formatSeconds(all)} spent on maps: ${formatCount(images)} images classified, ${(images / took).toFixed(1)} a second.</p>`;
}

function mapTable(study: Study, { maps }: Costs): VNode {
  const number = true as const;
  return html`${pageTable(
    'Cost of maps',
    [
      { head: 'Technique' },
      { head: 'Layer' },
      { head: 'Maps', number },
      { head: 'Forwards', number },
      { head: 'Seconds', number },
      { head: 'Forwards per second', number },
      { head: 'Memory added', number },
    ],
    maps.map((row) => [
      techniqueName(study, row.entrant.technique),
      row.entrant.layer.name,
      formatCount(row.maps),
      formatCount(row.forwards),
      formatSeconds(row.seconds),
      row.seconds > 0 && row.forwards > 0 ? (row.forwards / row.seconds).toFixed(1) : '–',
      row.growth === null ? '–' : formatBytes(row.growth),
    ]),
  )}<p class="caption"><b>How to read it.</b> Memory added is by how much the process grew within the map that grew it most, as the kernel counts it (Linux only): as a rule the first, for which the network is compiled with what the technique asks of it. A technique that asks what one before it has asked finds that compiled, as Grad-CAM++ does after Grad-CAM.</p>`;
}

function criterionTable({ criteria }: Costs): VNode {
  const number = true as const;
  return html`${pageTable(
    'Cost of scores',
    [
      { head: 'Criterion' },
      { head: 'Cells', number },
      { head: 'Forwards', number },
      { head: 'Maps made', number },
      { head: 'Seconds', number },
      { head: 'Forwards without sharing', number },
      { head: 'Saved', number },
    ],
    criteria.map((row) => [
      criterionHead(row.criterion),
      formatCount(row.cells),
      formatCount(row.forwards),
      formatCount(row.explanations),
      formatSeconds(row.seconds),
      row.unshared === null ? '–' : formatCount(row.unshared),
      row.unshared === null || row.unshared <= row.forwards || row.forwards === 0
        ? '–'
        : `${(row.unshared / row.forwards).toFixed(1)}×`,
    ]),
  )}<p class="caption"><b>How to read it.</b> Forwards are images classified. “Without sharing” is what a loop over the same cells would classify that keeps nothing from one cell to the next: the metric’s own cost, and a whole map for each map it makes; an upper bound where the cost depends on the map.</p>`;
}
