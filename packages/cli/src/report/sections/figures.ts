import type { VNode } from 'preact';
import { colormaps } from '../../render/colormap.ts';
import type { ImageRecord, LayerRecord } from '../../study/records.ts';
import type { ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { formatShare } from '../numbers.ts';
import type { Pictures } from '../read-pictures.ts';
import { allEntrants, type Entrant, entrantsAt, type Study, techniqueTitle } from '../study.ts';
import { techniqueName } from './shared.ts';

/** The study's figures: images × techniques, one grid for each layer. */
export function figuresSection({ study, pictures }: ReportContext): Section {
  const shown = study.images.slice(0, MOST_IMAGES);
  const cut =
    shown.length < study.images.length
      ? html`<p class="note">The first ${shown.length} of ${study.images.length} images; all are in the section “Image by image”.</p>`
      : null;
  return {
    id: 'figures',
    title: 'Figures',
    body: html`
      <div class="toolbar">
        <fieldset class="segments">
          <legend>Show</legend>
          ${VIEWS.map(
            ({ id, title }, index) =>
              html`<label><input type="radio" name="view" id=${`view-${id}`} checked=${index === 0} /><span>${title}</span></label>`,
          )}
        </fieldset>
        ${colourBar()}
      </div>
      ${cut}
      ${study.layers.map((layer, index) => layerFigure({ study, pictures, layer, images: shown, number: index + 1 }))}`,
  };
}

/** Every picture of the page, once: cells refer to them. */
export function pictureStore(study: Study, pictures: Pictures): VNode {
  const [, height, width] = study.run.model.input;
  const image = (id: string, href: string | null) =>
    href && html`<image id=${id} width=${width} height=${height} href=${href} preserveAspectRatio="none" />`;
  return html`<svg class="store" width="0" height="0" aria-hidden="true" focusable="false">
    <defs>
      <filter id="grey"><feColorMatrix type="saturate" values="0" /></filter>
      ${study.images.map(({ name }, index) => image(`input-${index}`, pictures.input(name)))}
      ${allEntrants(study).flatMap((entrant) =>
        study.images.map(({ name }, index) => image(heatId(study, entrant, index), pictures.heat(entrant, name))),
      )}
    </defs>
  </svg>`;
}

/** What a cell shows: an image, with the map of an entrant over it. */
export interface CellRequest {
  readonly study: Study;
  readonly pictures: Pictures;
  readonly image: ImageRecord;
  readonly entrant?: Entrant;
}

/** One picture of the grid. */
export function pictureCell({ study, pictures, image, entrant }: CellRequest): VNode {
  const [, height, width] = study.run.model.input;
  const index = study.images.indexOf(image);
  const what = entrant
    ? `${techniqueTitle(study, entrant.technique)} of ${image.name} at ${entrant.layer.name}`
    : `Image ${image.name}`;
  if (entrant && pictures.heat(entrant, image.name) === null) {
    return html`<span class="missing" role="img" aria-label=${`${what}: no map`}>no map</span>`;
  }
  const constant = entrant && study.map(entrant, image.name)?.degenerate;
  return html`<svg class="cell" viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${constant ? `${what}: constant map` : what}>
    ${pictures.input(image.name) === null ? null : html`<use href=${`#input-${index}`} class=${entrant ? 'under' : undefined} />`}
    ${entrant && html`<use href=${`#${heatId(study, entrant, index)}`} class="heat" />`}
  </svg>`;
}

/** Address of an image's own part of the page. */
export function imageAnchor(study: Study, image: ImageRecord): string {
  return `image-${study.images.indexOf(image) + 1}`;
}

interface LayerFigure {
  readonly study: Study;
  readonly pictures: Pictures;
  readonly layer: LayerRecord;
  readonly images: readonly ImageRecord[];
  readonly number: number;
}

function layerFigure({ study, pictures, layer, images, number }: LayerFigure): VNode {
  const [depth, height, width] = layer.shape;
  const link = (image: ImageRecord, cell: VNode) =>
    html`<a href=${`#${imageAnchor(study, image)}`} data-open="">${cell}</a>`;
  return html`<h3>Figure ${number}: ${layer.name} <small>${depth} channels of ${height}×${width}</small></h3>
    <div class="scroll" tabindex="0" role="region" aria-label=${`Figure ${number}, ${layer.name}`}>
      <table class="grid" style=${gridWidth(images.length)}>
        <thead><tr><th scope="col"><span class="hidden">Technique</span></th>${images.map((image) => html`<th scope="col">${heading(image)}${link(image, pictureCell({ study, pictures, image }))}</th>`)}</tr></thead>
        <tbody>${entrantsAt(study, layer).map(
          (
            entrant,
          ) => html`<tr><th scope="row">${techniqueName(study, entrant.technique)}<small>${entrant.technique.form}</small></th>
            ${images.map((image) => html`<td>${link(image, pictureCell({ study, pictures, image, entrant }))}</td>`)}</tr>`,
        )}</tbody>
      </table>
    </div>
    <p class="caption"><b>How to read it.</b> Above each image stand the class that the network predicts and its probability; a class in red is not what the image is labelled.
      Below, each technique’s map for that class at ${layer.name} (value ${layer.value}), scaled to [0, 1] and laid over a grey copy of the image: the redder, the more the place spoke for the class.
      A picture leads to the image’s own page part.</p>`;
}

/** Room for a column of row headings and as many pictures. */
export function gridWidth(columns: number): string {
  return `min-width:${136 + 70 * columns}px;max-width:${140 + 156 * columns}px`;
}

function heading(image: ImageRecord): VNode {
  const { predicted, label } = image;
  const wrong = label !== undefined && label !== predicted.label;
  return html`<span class=${wrong ? 'class wrong' : 'class'} title=${wrong ? `labelled ${label}` : image.name}>${predicted.label}</span>
    <span class="probability">${formatShare(predicted.probability)}</span>`;
}

function colourBar(): VNode {
  const stops = Array.from({ length: 17 }, (_, index) => {
    const at = Math.round((index / 16) * 255);
    const [red, green, blue] = colormaps.turbo.subarray(3 * at, 3 * at + 3);
    return html`<stop offset=${index / 16} stop-color=${`rgb(${red},${green},${blue})`} />`;
  });
  return html`<svg class="bar" viewBox="0 0 220 26" role="img" aria-label="Colours of the maps, from 0 in dark blue to 1 in dark red">
    <defs><linearGradient id="turbo">${stops}</linearGradient></defs>
    <rect x="20" y="6" width="180" height="14" rx="3" fill="url(#turbo)" />
    <text x="12" y="17" text-anchor="end">0</text><text x="208" y="17">1</text>
  </svg>`;
}

function heatId(study: Study, { technique, layer }: Entrant, image: number): string {
  return `heat-${study.layers.indexOf(layer)}-${study.techniques.indexOf(technique)}-${image}`;
}

const VIEWS = [
  { id: 'overlay', title: 'Overlay' },
  { id: 'map', title: 'Map' },
  { id: 'image', title: 'Image' },
];
const MOST_IMAGES = 24;
