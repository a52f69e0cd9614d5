import type { VNode } from 'preact';
import { headline } from '../analysis/state-findings.ts';
import { type Html, html } from '../html.ts';
import { counted, formatDateTime, formatShare } from '../numbers.ts';
import type { Study } from '../study.ts';

/** What was studied, the result in a sentence, and how complete it is. */
export function header(study: Study): VNode {
  const { run } = study;
  return html`<header class="hero">
    <p class="eyebrow">Cambium report · ${run.suite.name}</p>
    <h1>${run.suite.title}</h1>
    <p class="lead">${headline(study)}</p>
    <p class="badges">${completeness(study)}${reductionBadge(study)}</p>
    <dl class="cards">
      ${card('Model', run.model.name, html`<code title=${run.model.sha256}>${run.model.sha256.slice(0, 12)}</code>`)}
      ${card('Images', String(study.images.length), accuracy(study))}
      ${card('Compared', `${study.techniques.length} techniques`, `${counted(study.layers.length, 'layer')}, ${study.criteria.length} criteria`)}
      ${card('Device', run.device, run.adapter ?? versionOf(study))}
      ${card('Date', formatDateTime(run.started).replace(/,.*/, ''), `seed ${run.seed}`)}
    </dl>
    ${warnings(study)}
  </header>`;
}

function card(name: string, value: Html, note: Html): VNode {
  return html`<div><dt>${name}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`;
}

function completeness({ rows, expected }: Study): VNode {
  const failed = rows.filter(({ error }) => error !== undefined).length;
  const finished = rows.length - failed;
  const whole = rows.length >= expected && failed === 0;
  const words = whole
    ? `complete: ${counted(expected, 'cell')}`
    : `${finished} of ${counted(expected, 'cell')} done${failed > 0 ? `, ${failed} failed` : ''}`;
  return html`<span class=${whole ? 'badge good' : 'badge alert'}>${whole ? '✔' : '⚠'} ${words}</span>`;
}

function reductionBadge({ run }: Study): VNode | null {
  if (run.reductions.length === 0) return null;
  return html`<a class="badge note-badge" href="#provenance" title=${run.reductions.join('\n')}>reduced: ${counted(run.reductions.length, 'setting')} below the papers’</a>`;
}

function accuracy({ images }: Study): string {
  const labelled = images.filter(({ label }) => label !== undefined);
  if (labelled.length === 0) return 'without labels';
  const right = labelled.filter(({ label, predicted }) => label === predicted.label).length;
  return `${right} of ${labelled.length} predicted right (${formatShare(right / labelled.length, 0)})`;
}

function versionOf({ run }: Study): string {
  const [first] = Object.entries(run.versions);
  return first ? `${first[0]} ${first[1]}` : '';
}

function warnings({ absent, parts }: Study): VNode | null {
  const damaged = parts.reduce((sum, part) => sum + part.damaged, 0);
  const said = [
    absent.length > 0 && `Not in this report: ${absent.join(', ')}.`,
    damaged > 0 &&
      `${counted(damaged, 'line')} of the results could not be read and ${damaged === 1 ? 'is' : 'are'} left out.`,
  ].filter((text) => text !== false);
  return said.length === 0 ? null : html`<p class="warning">${said.join(' ')}</p>`;
}
