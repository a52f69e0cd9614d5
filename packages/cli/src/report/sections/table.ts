import type { VNode } from 'preact';
import { type Html, html } from '../html.ts';

/** A column of a table on the page. */
export interface Column {
  readonly head: Html;
  /** Numbers stand to the right. */
  readonly number?: true;
}

/** A table with a first column of row headings; it scrolls sideways where there is no room. */
export function pageTable(name: string, columns: readonly Column[], rows: readonly (readonly Html[])[]): VNode {
  const kind = (index: number) => (columns[index].number ? 'number' : undefined);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
    <table>
      <thead><tr>${columns.map(({ head }, index) => html`<th scope="col" class=${kind(index)}>${head}</th>`)}</tr></thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>${row.map((cell, index) =>
              index === 0
                ? html`<th scope="row" class=${kind(index)}>${cell}</th>`
                : html`<td class=${kind(index)}>${cell}</td>`,
            )}</tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A part of the page that is closed until it is wanted. */
export function details(summary: Html, body: Html): VNode {
  return html`<details><summary>${summary}</summary><div class="details-body">${body}</div></details>`;
}
