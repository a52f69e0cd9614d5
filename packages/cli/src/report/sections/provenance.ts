import { methods } from '@cambium/cam';
import type { VNode } from 'preact';
import type { Machine } from '../../machine.ts';
import type { ReportContext } from '../context.ts';
import { type Html, html, type Section } from '../html.ts';
import { formatDateTime } from '../numbers.ts';
import type { RunFolder } from '../read-run.ts';
import type { Study } from '../study.ts';
import { details, pageTable } from './table.ts';

/** Everything that it takes to make the numbers again, and to cite them. */
export function provenanceSection({ study }: ReportContext): Section {
  const { run } = study;
  return {
    id: 'provenance',
    title: 'Provenance',
    body: html`
      ${studyFacts(study)}
      <h3>${study.parts.length === 1 ? 'The run' : 'The runs'}</h3>
      ${study.parts.map(partFacts)}
      <h3>Less than the papers ask for</h3>
      ${
        run.reductions.length === 0
          ? html`<p class="note">Nothing was reduced.</p>`
          : html`<ul>${run.reductions.map((reduction) => html`<li>${reduction}</li>`)}</ul>`
      }
      <h3>Caveats</h3>
      <ul>
        <li>The maps explain this network’s answers to these images, right or wrong; they do not say what it should have looked at.</li>
        <li>A rank over few images is weak evidence: read it with the intervals and tests.</li>
        <li>Replacing regions takes images away from what the network was trained on; part of every drop is that surprise.</li>
        <li>Scores of another resolution, baseline or step count are not comparable with these.</li>
      </ul>
      <h3>Sources</h3>${sources(study)}
      ${details('The suite as it was resolved', html`<pre tabindex="0">${JSON.stringify(run.suite, null, 2)}</pre>`)}
      ${details('Techniques and metrics with all their options', options(study))}
      ${details('Image files', imageTable(study))}`,
  };
}

function studyFacts({ run }: Study): VNode {
  const { name, file, sha256, input, resize, mean, std } = run.model;
  const versions = Object.entries(run.versions).map(([part, version]) => `${part} ${version}`);
  return facts([
    ['Model', html`${name} <code>${file}</code>`],
    ['Model SHA-256', html`<code>${sha256}</code>`],
    ['Input', `${input.join('×')}, ${resize}; mean ${mean.join(', ')}; deviation ${std.join(', ')} of u8/255`],
    ['Suite', html`${run.suite.name} <code>${run.suiteKey}</code>`],
    ['Seed', String(run.seed)],
    ['Versions', versions.join(', ')],
  ]);
}

function partFacts({ run, folder }: RunFolder): VNode {
  return facts([
    ['Command', html`<code>cambium ${run.command}</code>`],
    ['Folder', html`<code>${folder}</code>`],
    ['Shard', `${run.shard.index} of ${run.shard.count}, ${run.cells} cells${run.complete ? '' : ', not finished'}`],
    ['Device', run.adapter === undefined ? run.device : `${run.device}, ${run.adapter}`],
    ['Machine', run.machine === undefined ? '–' : machineOf(run.machine)],
    ['Started', formatDateTime(run.started)],
    ['Ended', run.ended === undefined ? '–' : formatDateTime(run.ended)],
    ['Commit', run.git ? html`<code>${run.git.commit}</code>${run.git.dirty && ' with changes'}` : '–'],
  ]);
}

function machineOf({ cpu, cores, memoryGB, system, node }: Machine): string {
  return `${cpu}, ${cores} logical cores, ${memoryGB} GB; ${system}; Node ${node}`;
}

function facts(pairs: readonly (readonly [string, Html])[]): VNode {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function sources(study: Study): VNode {
  const known: { readonly [name: string]: { readonly source: string } } = methods;
  const ofTechniques = study.techniques.map(({ title, method }) => [title, known[method]?.source ?? ''] as const);
  const ofCriteria = study.criteria.map(({ title, source }) => [title, source] as const);
  const cited = new Map([...ofTechniques, ...ofCriteria].filter(([, source]) => source !== ''));
  return html`<dl class="facts">${[...cited].map(([title, source]) => html`<dt>${title}</dt><dd>${source}</dd>`)}</dl>`;
}

function options({ techniques, criteria }: Study): VNode {
  const rows = [...techniques, ...criteria].map((entry) => [
    entry.title,
    html`<code>${JSON.stringify(entry.options)}</code>`,
  ]);
  return pageTable('Options', [{ head: 'Technique or metric' }, { head: 'Options' }], rows);
}

function imageTable({ images }: Study): VNode {
  const rows = images.map(({ name, file, sha256 }) => [name, html`<code>${file}</code>`, html`<code>${sha256}</code>`]);
  return pageTable('Image files', [{ head: 'Image' }, { head: 'File' }, { head: 'SHA-256' }], rows);
}
