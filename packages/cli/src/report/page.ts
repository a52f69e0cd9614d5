import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { renderToString } from 'preact-render-to-string';
import { chartSource } from './charts/draw-chart.ts';
import { inks } from './charts/theme.ts';
import { clientScript } from './client.ts';
import { chartCsv, type ReportContext } from './context.ts';
import { html, type Section, trusted } from './html.ts';
import { pictureStore } from './sections/figures.ts';
import { header } from './sections/header.ts';
import { styleSheet } from './styles.ts';

/**
 * The report as one HTML document that asks for nothing: fonts, pictures, charts, styles and script are inside it, and
 * its policy lets no other script run and nothing be fetched.
 *
 * @param fontUri the page's font as a data URI
 */
export function renderPage(context: ReportContext, sections: readonly Section[], fontUri: string): string {
  const { run } = context.study;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta http-equiv="Content-Security-Policy" content=${policy()} />
      <meta name="generator" content="Cambium" />
      <meta name="color-scheme" content="light dark" />
      <title>${run.suite.title} – Cambium report</title>
      <link rel="icon" href=${ICON} />
      ${trusted('style', {}, styleSheet(fontUri))}
    </head>
    <body>
      <a class="skip" href="#figures">Skip to the figures</a>
      ${pictureStore(context.study, context.pictures)}
      <div class="page" id="top">
        ${navigation(sections)}
        <main>
          ${header(context.study)}
          ${sections.map(
            ({ id, title, body }, index) =>
              html`<section id=${id} aria-labelledby=${`${id}-title`}><h2 id=${`${id}-title`}><span class="count">${index + 2}</span>${title}</h2>${body}</section>`,
          )}
        </main>
      </div>
      ${trusted('script', { type: 'text/plain', id: 'chart-sources' }, packedSources(context))}
      ${trusted('script', {}, clientScript)}
    </body>
  </html>`;
  return `<!doctype html>\n${renderToString(page)}\n`;
}

function navigation(sections: readonly Section[]) {
  return html`<nav aria-label="Sections">
    <a class="brand" href="#top">Cambium</a>
    <ol>${sections.map(({ id, title }) => html`<li><a href=${`#${id}`}>${title}</a></li>`)}</ol>
    <button type="button" id="theme">◐ Auto</button>
  </nav>`;
}

// what the download buttons save: JSON, by gzip, in base64
function packedSources({ charts }: ReportContext): string {
  const sources = charts.map((chart) => [chart.id, { spec: chartSource(chart).json, csv: chartCsv(chart) }] as const);
  const light = Object.fromEntries(Object.entries(inks).map(([name, ink]) => [name, ink.light]));
  return gzipSync(JSON.stringify({ inks: light, charts: Object.fromEntries(sources) }), { level: 9 }).toString(
    'base64',
  );
}

function policy(): string {
  const hash = createHash('sha256').update(clientScript).digest('base64');
  return `default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

// a leaf of three blades
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#18875d"/><path d="M16 26V9m0 9c-6 0-8-4-8-8 5 0 8 3 8 8zm0 3c6 0 8-4 8-8-5 0-8 3-8 8z" fill="none" stroke="#fff" stroke-width="2"/></svg>',
)}`;
