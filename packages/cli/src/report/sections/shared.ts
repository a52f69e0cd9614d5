import type { VNode } from 'preact';
import type { TechniqueRecord } from '../../study/records.ts';
import { colourScale, inks } from '../charts/theme.ts';
import { html } from '../html.ts';
import { type Criterion, type Entrant, type Study, techniqueTitle } from '../study.ts';

/** A technique's name behind its colour. */
export function techniqueName(study: Study, technique: TechniqueRecord): VNode {
  const { range } = colourScale(study.techniques, []);
  const light = range[study.techniques.indexOf(technique)];
  const ink = Object.entries(inks).find(([, colour]) => colour.light === light);
  return html`<span class="technique"><i style=${`background:var(--${ink?.[0] ?? 'muted'})`}></i>${techniqueTitle(study, technique)}</span>`;
}

/** A technique at a layer, in words. */
export function entrantTitle(study: Study, { technique, layer }: Entrant): string {
  return `${techniqueTitle(study, technique)} @ ${layer.name}`;
}

/** A criterion's title with the arrow of its direction. */
export function criterionHead({ title, better }: Criterion): VNode {
  if (better === null) return html`<span>${title}</span>`;
  const words = better === 'higher' ? 'higher is better' : 'lower is better';
  return html`<span title=${words}>${title} <span class="arrow" aria-label=${words}>${better === 'higher' ? '↑' : '↓'}</span></span>`;
}
