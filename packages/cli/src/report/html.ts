import { html } from 'htm/preact';
import { Fragment, h, type VNode } from 'preact';

export { html };

/** A piece of the page. Preact escapes every value that is put into it. */
export type Html = VNode | readonly VNode[] | string | null;

/**
 * Markup that is already HTML, put in as it is. Only for what this package has drawn itself: Vega's SVG, its own style
 * sheet and its own script.
 */
export function trusted(tag: 'div' | 'style' | 'script' | 'figure', attributes: object, markup: string): VNode {
  return html`<${tag} ...${attributes} dangerouslySetInnerHTML=${{ __html: markup }} />`;
}

/** Several pieces without an element around them. */
export function together(...pieces: readonly Html[]): VNode {
  return h(Fragment, null, ...pieces);
}

/** One of the report's thirteen sections. */
export interface Section {
  /** Its anchor. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** A heading of the second rank with text that says how to read what follows. */
export function caption(text: Html): VNode {
  return html`<p class="caption">${text}</p>`;
}
